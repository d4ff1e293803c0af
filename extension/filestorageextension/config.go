// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
)

// Config is the configuration of contrib's file_storage, with its keys, defaults and checks.
type Config = filestorage.Config

func createDefaultConfig() component.Config { return filestorage.NewFactory().CreateDefaultConfig() }
