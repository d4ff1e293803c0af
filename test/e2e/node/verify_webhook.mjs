// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Verifies a webhook with the standardwebhooks package: node verify_webhook.mjs SECRET, with {"headers": {...}, "body": "..."} on
// its standard input. It fails unless the webhook is sound, and unless the same with another body is not.

import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const [secret] = process.argv.slice(2);
const { headers, body } = JSON.parse(readFileSync(0, 'utf8'));

const payload = new Webhook(secret).verify(body, headers);
console.log(payload.type);

try {
  new Webhook(secret).verify(body + ' ', headers);
} catch {
  process.exit(0);
}
console.error('another body was verified too');
process.exit(1);
