// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// explainer runs the pipelines of a configuration without a network. It is the common part of the
// commands explain and test.
type explainer struct {
	set           otelcol.CollectorSettings
	sources       *sources
	defaultConfig string

	configs []string
	conf    *confmap.Conf // nil until it is resolved
}

func (e *explainer) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&e.configs, "config", nil, "Location of a config file; repeatable, later ones override earlier ones (default: the built-in configuration)")
}

// settings reads the configuration.
func (e *explainer) settings(ctx context.Context) (explain.Settings, error) {
	factories, err := e.set.Factories()
	if err != nil {
		return explain.Settings{}, err
	}
	resolverSettings := e.set.ConfigProviderSettings.ResolverSettings
	resolverSettings.URIs = e.configs
	if len(e.configs) == 0 {
		resolverSettings.URIs = []string{"yaml:" + e.defaultConfig}
	}
	if resolverSettings.DefaultScheme == "" {
		resolverSettings.DefaultScheme = "env"
	}
	resolver, err := confmap.NewResolver(resolverSettings)
	if err != nil {
		return explain.Settings{}, err
	}
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return explain.Settings{}, fmt.Errorf("failed to get config: cannot resolve the configuration: %w", err)
	}
	e.conf = conf
	return explain.Settings{
		BuildInfo: e.set.BuildInfo, Factories: factories, Config: conf, Variables: e.sources.variables(),
	}, nil
}

// oneLine returns an error as one line without the secrets of the configuration.
func (e *explainer) oneLine(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(explain.Redactor(e.conf, e.sources.variables())(e.sources.oneLine(err).Error()))
}

// explainCommand is the explain command.
type explainCommand struct {
	*explainer

	event, otlp, receiver, path string
	headers                     []string
	asCurl, asJSON              bool
}

func newExplainCommand(e *explainer) *cobra.Command {
	x := &explainCommand{explainer: e}
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Show what every backend would be sent for an event, without sending anything",
		Long: "Show what every backend would be sent for an event: the routes, what processors drop, and each\n" +
			"request. Nothing is sent, no port is opened, and no file is written.\n\n" +
			`  otelcol-fanout explain --config my.yaml --event event.json` + "\n" +
			`  echo '{"name":"order_placed","user":{"id":"u1"}}' | otelcol-fanout explain --event -`,
		Args: noArguments, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return x.oneLine(x.run(cmd)) },
	}
	e.addFlags(cmd)
	cmd.Flags().StringVar(&x.event, "event", "", "File with the body of a request to the event receiver; - reads standard input")
	cmd.Flags().StringVar(&x.otlp, "otlp", "", "File with OTLP JSON; - reads standard input")
	cmd.Flags().StringVar(&x.receiver, "receiver", "", "ID of the receiver that gets it, if several could")
	cmd.Flags().StringVar(&x.path, "path", "", "Path of the request, such as /v1/webhooks/github (default /v1/events)")
	cmd.Flags().StringArrayVar(&x.headers, "header", nil, "Header of the request, such as 'X-GitHub-Event: push'; repeatable")
	cmd.Flags().BoolVar(&x.asCurl, "curl", false, "Print the requests as curl commands, with environment variables in the place of secrets")
	cmd.Flags().BoolVar(&x.asJSON, "json", false, "Print JSON")
	return cmd
}

func (x *explainCommand) run(cmd *cobra.Command) error {
	in, err := x.input(cmd.InOrStdin())
	if err != nil {
		return err
	}
	set, err := x.settings(cmd.Context())
	if err != nil {
		return err
	}
	result, err := explain.Run(cmd.Context(), set, in)
	if err != nil {
		return err
	}
	switch {
	case x.asJSON:
		return result.WriteJSON(cmd.OutOrStdout())
	case x.asCurl:
		return result.WriteCurl(cmd.OutOrStdout())
	default:
		return result.WriteText(cmd.OutOrStdout())
	}
}

// input reads the event.
func (x *explainCommand) input(stdin io.Reader) (explain.Input, error) {
	in := explain.Input{Receiver: x.receiver, Path: x.path, Header: http.Header{}}
	for _, header := range x.headers {
		name, value, ok := strings.Cut(header, ":")
		if !ok {
			return in, fmt.Errorf("--header: %q has no colon; write one such as 'X-GitHub-Event: push'", header)
		}
		in.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	var err error
	switch {
	case x.asCurl && x.asJSON:
		return in, errors.New("--curl and --json exclude each other; write one of them")
	case x.event != "" && x.otlp != "":
		return in, errors.New("--event and --otlp exclude each other; write one of them")
	case x.event != "":
		in.Event, err = readInput("--event", x.event, stdin)
	case x.otlp != "":
		in.OTLP, err = readInput("--otlp", x.otlp, stdin)
	default:
		return in, errors.New("the event is missing; write --event FILE for JSON as the event receiver takes it, --otlp FILE for OTLP JSON, or - instead of FILE for standard input")
	}
	return in, err
}

// readInput reads a file, or standard input, that must not be empty.
func readInput(flag, name string, stdin io.Reader) ([]byte, error) {
	read := func() ([]byte, error) { return os.ReadFile(name) }
	if name == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	content, err := read()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no file %s; write the name of a file with the event, or - for standard input", flag, name)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", flag, err)
	case len(strings.TrimSpace(string(content))) == 0:
		return nil, fmt.Errorf(`%s: %s is empty; write an event such as {"name":"order_placed","user":{"id":"u1"}}`, flag, name)
	}
	return content, nil
}
