// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Records an error that has a cause with the OpenTelemetry SDK for Node.js, and prints the ids of its trace and span:
//
//   node record_exception.mjs http://127.0.0.1:4318 span,log
//
// The second argument says how: span is an event of the span, log a log record, and printed a log record with the text
// that Node prints, in which the cause stands too.

import { inspect } from 'node:util';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const [url, ways] = process.argv.slice(2);
if (!url || !ways) {
  console.error('usage: node record_exception.mjs OTLP-ENDPOINT span|log|printed,...');
  process.exit(2);
}

// The SDK tells of a failed export nowhere but here.
let failed = false;
function watched(exporter) {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) {
        console.error('the export failed:', result.error);
        failed = true;
      }
      done(result);
    });
  return exporter;
}

const resource = defaultResource().merge(resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.2.3' }));
const tracerProvider = new TracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor({ exporter: watched(new OTLPTraceExporter({ url: `${url}/v1/traces` })) })],
});
const loggerProvider = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: watched(new OTLPLogExporter({ url: `${url}/v1/logs` })) })],
});

class PaymentError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'PaymentError';
  }
}

class Terminal {
  connect() {
    JSON.parse('{"terminal": ');
  }
}

function chargeCard() {
  try {
    new Terminal().connect();
  } catch (error) {
    throw new PaymentError('the card was declined', { cause: error });
  }
}

const span = tracerProvider.getTracer('checkout', '0.9.0').startSpan('POST /orders', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
const context = trace.setSpan(ROOT_CONTEXT, span);
const logger = loggerProvider.getLogger('checkout', '0.9.0');

const record = {
  span: (error) => {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  },
  log: (error) => logger.emit({ severityNumber: SeverityNumber.ERROR, exception: error, context }),
  printed: (error) =>
    logger.emit({
      severityNumber: SeverityNumber.ERROR,
      attributes: {
        'exception.type': error.name,
        'exception.message': error.message,
        'exception.stacktrace': inspect(error),
      },
      context,
    }),
};

try {
  chargeCard();
} catch (error) {
  for (const way of ways.split(',')) {
    record[way](error);
  }
}
span.end();

await Promise.all([tracerProvider.shutdown(), loggerProvider.shutdown()]);
const { traceId, spanId } = span.spanContext();
console.log(JSON.stringify({ trace_id: traceId, span_id: spanId }));
process.exit(failed ? 1 : 0);
