// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.yaml
var openAPI []byte

// showOpenAPI responds with the description of the API.
func (a *api) showOpenAPI(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
	return nil
}
