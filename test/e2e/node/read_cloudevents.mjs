// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Reads CloudEvents with the cloudevents package: node read_cloudevents.mjs, with [{"headers": {...}, "body": "..."}] on its
// standard input. It fails unless all of them are valid, and prints the type of each on a line.

import { readFileSync } from 'node:fs';
import { HTTP } from 'cloudevents';

for (const { headers, body } of JSON.parse(readFileSync(0, 'utf8'))) {
  for (const event of [HTTP.toEvent({ headers, body })].flat()) {
    event.validate();
    console.log(event.type);
  }
}
