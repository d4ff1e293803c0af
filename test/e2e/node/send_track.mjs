// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Sends one event of each kind with the @segment/analytics-node package: node send_track.mjs HOST WRITE_KEY. It fails unless
// all of them are taken.

import { Analytics } from '@segment/analytics-node';

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, maxRetries: 0 });
analytics.on('error', ({ code, reason }) => {
  console.error(`${code}: ${reason}`);
  process.exitCode = 1;
});

analytics.track({ userId: 'u1', event: 'Order Placed', properties: { order_id: 7 } });
analytics.identify({ userId: 'u1', traits: { plan: 'pro' } });
analytics.page({ userId: 'u1', name: 'Pricing', properties: { url: 'https://shop.example/pricing' } });
analytics.screen({ anonymousId: 'a1', name: 'Home' });
analytics.group({ userId: 'u1', groupId: 'acme', traits: { employees: 12 } });
analytics.alias({ userId: 'u1', previousId: 'a1' });
await analytics.closeAndFlush();
