// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Sends two records with the OpenTelemetry SDK for Node.js to the OTLP endpoint that is its argument, and fails when
// they could not be sent: node send.mjs http://127.0.0.1:4318/v1/logs

import { ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node send.mjs OTLP-ENDPOINT');
  process.exit(2);
}

// The SDK tells of a failed export nowhere but here.
const exporter = new OTLPLogExporter({ url });
let sent = 0;
const send = exporter.export.bind(exporter);
exporter.export = (records, done) =>
  send(records, (result) => {
    if (result.code === 0) {
      sent += records.length;
    } else {
      console.error('the export failed:', result.error);
    }
    done(result);
  });

const provider = new LoggerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.2.3' }),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const logger = provider.getLogger('checkout', '0.9.0');
const timestamp = [Date.UTC(2026, 0, 2, 3, 4, 5) / 1000, 678_901_234];

logger.emit({
  eventName: 'order_placed',
  timestamp,
  severityNumber: SeverityNumber.WARN,
  severityText: 'WARN',
  body: 'an order was placed 🎉',
  attributes: {
    'user.id': 'u1',
    largest_safe: Number.MAX_SAFE_INTEGER,
    smallest_safe: Number.MIN_SAFE_INTEGER,
    whole_double: 1.0,
    tenth: 0.1,
    paid: true,
    refunded: false,
    nested: { deeper: { int: Number.MAX_SAFE_INTEGER, double: 2.5, bytes: new Uint8Array([0xff]) } },
    list: ['one', 2, 3.5, true, { four: 4 }],
    bytes: new Uint8Array([0x00, 0x01, 0xfe, 0xff]),
    emoji: '👩‍🚀🎉',
    cjk: '注文が確定しました',
    escapes: 'a "quote", a \\ and a\nline',
    empty: '',
  },
  context: trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0102030405060708090a0b0c0d0e0f10',
    spanId: '1112131415161718',
    traceFlags: TraceFlags.SAMPLED,
  }),
});
logger.emit({ timestamp, body: 'a plain log' });

await provider.forceFlush();
await provider.shutdown();
if (sent !== 2) {
  console.error(`${sent} of 2 records were sent`);
  process.exit(1);
}
