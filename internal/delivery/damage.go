// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// OnQueueDamage says what becomes of a damaged queue file when the collector starts.
type OnQueueDamage string

const (
	// QueueDamageFail ends the start with an error that names the file.
	QueueDamageFail OnQueueDamage = "fail"
	// QueueDamageSetAside renames the file, and starts with a new queue. The loss is logged, and counted
	// as one event.
	QueueDamageSetAside OnQueueDamage = "set_aside"
)

func (o OnQueueDamage) check() error {
	return strictconf.CheckWord("on_queue_damage", o, QueueDamageFail, QueueDamageSetAside)
}
