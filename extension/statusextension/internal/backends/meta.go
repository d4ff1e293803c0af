// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import "github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"

func eachMeta(b *batch.Batch, visit func(m *batch.Meta)) {
	for _, e := range b.Events() {
		visit(&e.Meta)
	}
}
