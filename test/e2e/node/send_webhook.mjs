// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Signs a webhook with the standardwebhooks package and posts it: node send_webhook.mjs URL SECRET ID. It fails unless it is
// accepted, and unless the same with another body is refused.

import { Webhook } from 'standardwebhooks';

const [url, secret, id] = process.argv.slice(2);
if (!id) {
  console.error('usage: node send_webhook.mjs URL SECRET ID');
  process.exit(2);
}

const body = JSON.stringify({ type: 'user.created', timestamp: '2026-01-31T12:00:00Z', data: { id: 'u1', name: 'Zoë 👩‍🚀' } });
const now = new Date();
const headers = {
  'content-type': 'application/json',
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
  'webhook-signature': new Webhook(secret).sign(id, now, body),
};

for (const [sent, status] of [[body, 202], [body.replace('u1', 'u2'), 401]]) {
  const response = await fetch(url, { method: 'POST', headers, body: sent });
  if (response.status !== status) {
    console.error(`answered ${response.status} ${await response.text()}, not ${status}`);
    process.exit(1);
  }
}
