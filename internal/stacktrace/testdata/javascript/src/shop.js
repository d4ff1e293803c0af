// Writes one file per case into the folder that is its argument.
'use strict';
const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const out = process.argv[2];

class OutOfStock extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'OutOfStock';
  }
}

class Cart {
  constructor(n) {
    if (n < 0) throw new RangeError('quantity must be positive\n    at least 1 (one)\ngot: ' + n);
    this.n = n;
  }
  get total() { return new Cart(-this.n); }
  static of(ns) { return ns.map((n) => new Cart(n)); }
}

function write(name, e, text) {
  fs.writeFileSync(path.join(out, name + '.txt'), text === undefined ? e.stack : text);
  fs.writeFileSync(path.join(out, name + '.given.json'), JSON.stringify({ type: e.code || e.name, message: e.message }) + '\n');
}

async function attempt(name, f, format) {
  try {
    await f();
  } catch (e) {
    write(name, e, format && format(e));
  }
}

function withCause() {
  try {
    Cart.of([1, -1]);
  } catch (e) {
    throw new OutOfStock('cart not filled', { cause: e });
  }
}

function deep(n, f) { return n === 0 ? f() : deep(n - 1, f); }

const alias = { add: Cart.of };
alias.plus = alias.add;

async function later(n) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return new Cart(n);
}

async function main() {
  await attempt('constructor', () => Cart.of([1, -1]));
  await attempt('getter', () => new Cart(1).total);
  await attempt('alias', () => alias.plus([-1]));
  await attempt('async', async () => { await later(-1); });
  await attempt('promise_all', async () => { await Promise.all([later(1), later(-1)]); });
  await attempt('node_error', () => fs.readFileSync('/nonexistent'));
  await attempt('node_error_code', () => Buffer.alloc('x'));
  await attempt('eval', () => eval('(function add(n) { return new Cart(n); })(-1)'));
  await attempt('new_function', () => new Function('f', 'return f()')(() => new Cart(-1)));
  await attempt('vm', () => vm.runInNewContext('const x = 1;\nx();', {}, { filename: 'rules/discount.js' }));
  await attempt('json', () => JSON.parse('{"a": }'));
  await attempt('cause', withCause);
  await attempt('cause_printed', withCause, util.inspect);
  await attempt('cause_printed_deep', () => deep(6, withCause), util.inspect);
  await attempt('aggregate', () => Promise.any([later(-1), later(-2)]));
  await attempt('aggregate_printed', () => Promise.any([later(-1), later(-2)]), util.inspect);
  await attempt('express', () => {
    const app = require('express')();
    app.get('/cart', () => Cart.of([-1]));
    return new Promise((resolve, reject) => {
      app.use((err, req, res, next) => { res.end(); server.close(); reject(err); });
      const server = app.listen(0, '127.0.0.1', () => require('http').get({ port: server.address().port, host: '127.0.0.1', path: '/cart' }));
    });
  });
  await attempt('opentelemetry', async () => {
    const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const span = provider.getTracer('shop').startSpan('checkout');
    try { withCause(); } catch (e) { span.recordException(e); }
    span.end();
    const { attributes } = exporter.getFinishedSpans()[0].events[0];
    fs.writeFileSync(path.join(out, 'opentelemetry.txt'), attributes['exception.stacktrace']);
    fs.writeFileSync(path.join(out, 'opentelemetry.given.json'),
      JSON.stringify({ type: attributes['exception.type'], message: attributes['exception.message'] }) + '\n');
  });
  await import('./module.mjs').then((m) => attempt('module', m.run));
}

main();
