// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// Rules decide which frames are the application's own. Each is the beginning of a frame's module, package, qualified function
// ("com.acme.Cart.add") or path. Include wins over Exclude, and both win over what is usual in the language.
type Rules struct{ Include, Exclude []string }

func (r *Rules) inApp(language Language, f *Frame) bool {
	if len(r.Include) > 0 && f.matches(r.Include) {
		return true
	}
	if len(r.Exclude) > 0 && f.matches(r.Exclude) {
		return false
	}
	return f.isApp(language)
}

func (f *Frame) matches(prefixes []string) bool {
	for _, prefix := range prefixes {
		if prefix != "" && f.beginsWith(prefix) {
			return true
		}
	}
	return false
}

func (f *Frame) beginsWith(prefix string) bool {
	return strings.HasPrefix(f.Module, prefix) || strings.HasPrefix(f.Package, prefix) ||
		strings.HasPrefix(f.AbsPath, prefix) || strings.HasPrefix(f.Filename, prefix) ||
		strings.HasPrefix(f.Function, prefix) || f.isQualified(prefix)
}

// isQualified reports whether the module and the function, with whatever the language puts between them, begin with the prefix.
func (f *Frame) isQualified(prefix string) bool {
	if f.Module == "" {
		return false
	}
	function, ok := strings.CutPrefix(prefix, f.Module)
	return ok && strings.HasPrefix(f.Function, strings.TrimLeft(function, ".:#/->"))
}

// isApp is what is usual in the language. Where nothing is known of a frame, it is the application's.
func (f *Frame) isApp(language Language) bool {
	switch language {
	case Java:
		return !hasPrefixOf(f.Module, &javaLibraries)
	case Python:
		return !f.isPythonLibrary()
	case JavaScript:
		return !f.isJavaScriptLibrary()
	case Go:
		return !f.isGoLibrary()
	case DotNet:
		return !hasPrefixOf(f.Module, &dotNetLibraries)
	case PHP:
		return !f.isPHPLibrary()
	case Ruby:
		return !f.isRubyLibrary()
	case Rust:
		return !f.isRustLibrary()
	case Elixir:
		return !f.isElixirLibrary()
	default:
		return true
	}
}

// hasPrefixOf reports whether the name begins with one of the prefixes. They lie by their first byte, so that a name is held against
// few of them.
func hasPrefixOf(name string, of *[1 << 7][]string) bool {
	if name == "" || int(name[0]) >= len(of) {
		return false
	}
	for _, prefix := range of[name[0]] {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// javaLibraries are the platform, the languages on it, and what most applications are built with.
var javaLibraries = [1 << 7][]string{
	'_': {"_COROUTINE."},
	'a': {"android.", "androidx.", "akka."},
	'b': {"brave."},
	'c': {
		"com.android.", "com.fasterxml.", "com.google.common.", "com.google.gson.", "com.google.inject.", "com.google.protobuf.", "com.ibm.",
		"com.mysql.", "com.netflix.", "com.oracle.", "com.sun.", "com.zaxxer.hikari.", "ch.qos.logback.", "clojure.",
	},
	'd': {"dalvik."},
	'f': {"feign."},
	'g': {"graphql.", "groovy.", "groovyjarjar"},
	'h': {"hudson."},
	'i': {
		"io.grpc.", "io.ktor.", "io.lettuce.", "io.micrometer.", "io.micronaut.", "io.netty.", "io.opentelemetry.", "io.quarkus.",
		"io.reactivex.", "io.sentry.", "io.undertow.", "io.vertx.",
	},
	'j': {"jakarta.", "java.", "javafx.", "javax.", "jdk.", "junit.", "jnr."},
	'k': {"kotlin.", "kotlinx.", "kafka."},
	'l': {"liquibase."},
	'n': {"net.bytebuddy.", "net.sf.cglib.", "nu.studer."},
	'o': {
		"okhttp3.", "okio.", "org.aopalliance.", "org.apache.", "org.aspectj.", "org.codehaus.", "org.eclipse.", "org.glassfish.", "org.gradle.",
		"org.h2.", "org.hibernate.", "org.jboss.", "org.jetbrains.", "org.jooq.", "org.junit.", "org.mariadb.", "org.mockito.", "org.postgresql.",
		"org.quartz.", "org.reactivestreams.", "org.scala", "org.slf4j.", "org.springframework.", "org.testng.", "org.thymeleaf.", "org.xnio.",
		"oracle.",
	},
	'p': {"play."},
	'r': {"reactor.", "retrofit2.", "rx."},
	's': {"scala.", "sun.", "shadow."},
	'w': {"worker.org.gradle."},
	'z': {"zio."},
}

var dotNetLibraries = [1 << 7][]string{
	'A': {"Autofac.", "AutoMapper.", "Azure."},
	'C': {"Castle."},
	'D': {"Dapper."},
	'F': {"FSharp.", "FluentValidation."},
	'G': {"Grpc.", "Google.Protobuf."},
	'I': {"Interop."},
	'M': {"MS.", "MassTransit.", "MediatR.", "Microsoft.", "Mono.", "MySql.", "MongoDB."},
	'N': {"Newtonsoft.", "NHibernate.", "NUnit.", "Npgsql."},
	'O': {"OpenTelemetry."},
	'P': {"Polly."},
	'Q': {"Quartz."},
	'R': {"RabbitMQ."},
	'S': {"Sentry.", "Serilog.", "StackExchange.", "System."},
	'W': {"Windows."},
	'X': {"Xunit."},
	'x': {"xunit."},
}
