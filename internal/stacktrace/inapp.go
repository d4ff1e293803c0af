// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// Rules decide which frames are the application's own (in_app). Each entry is a prefix of a frame's
// module, package, qualified function ("com.acme.Cart.add") or path. Include wins over Exclude;
// both win over the language's defaults.
type Rules struct {
	Include []string `mapstructure:"include"`
	Exclude []string `mapstructure:"exclude"`
}

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

// isQualified reports whether module and function, with any separator between them, begin with the
// prefix.
func (f *Frame) isQualified(prefix string) bool {
	if f.Module == "" {
		return false
	}
	function, ok := strings.CutPrefix(prefix, f.Module)
	return ok && strings.HasPrefix(f.Function, strings.TrimLeft(function, ".:#/->"))
}

// isApp is the language's default. A frame about which nothing is known belongs to the application.
func (f *Frame) isApp(language Language) bool {
	switch language {
	case Java:
		return !isJavaLibrary(f.Module) && !strings.HasPrefix(f.Package, "com.google.android.") && !f.isAndroidNative()
	case Python:
		return !f.isPythonLibrary()
	case JavaScript:
		return !f.isJavaScriptLibrary()
	case Go:
		return !f.isGoLibrary()
	case DotNet:
		return !isDotNetLibrary(f.Module) && !f.isDotNetStub()
	case PHP:
		return !f.isPHPLibrary()
	case Ruby:
		return !f.isRubyLibrary()
	case Rust:
		return !f.isRustLibrary()
	case Elixir:
		return !f.isElixirLibrary()
	case Dart:
		return !f.isDartLibrary()
	case Swift:
		return !f.isSwiftLibrary()
	default:
		return true
	}
}

// isJavaLibrary reports whether the class belongs to the platform, a JVM language or a common
// library. The first one or two parts of its name decide.
func isJavaLibrary(class string) bool {
	first := class[:dotAfter(class, 0)]
	switch first {
	case "com", "io", "org", "net", "ch", "worker":
		return isJavaVendor(class[:dotAfter(class, len(first)+1)])
	case "java", "javax", "jakarta", "jdk", "sun", "javafx", "junit", "kotlin", "kotlinx", "scala", "groovy", "clojure", "libcore",
		"akka", "android", "androidx", "brave", "cats", "dalvik", "feign", "fs2", "graphql", "hudson", "jnr", "kafka", "liquibase", "okhttp3", "okio", "oracle",
		"play", "reactor", "retrofit2", "rx", "zio", "_COROUTINE":
		return true
	default:
		return strings.HasPrefix(first, "groovyjarjar")
	}
}

// dotAfter returns the index of the first dot at or after start, or the length of the name.
func dotAfter(name string, start int) int {
	for start < len(name) && name[start] != '.' {
		start++
	}
	return min(start, len(name))
}

func isJavaVendor(name string) bool {
	switch name {
	case "org.springframework", "org.apache", "org.hibernate", "org.eclipse", "org.jboss", "org.aopalliance", "org.aspectj", "org.codehaus",
		"org.glassfish", "org.graalvm", "org.gradle", "org.h2", "org.http4s", "org.jetbrains", "org.jooq", "org.jruby", "org.junit", "org.mariadb",
		"org.mockito", "org.mozilla", "org.postgresql", "org.python", "org.quartz", "org.reactivestreams", "org.scalatest", "org.slf4j", "org.testng", "org.thymeleaf", "org.xnio",
		"com.sun", "com.android", "com.fasterxml", "com.google", "com.ibm", "com.mysql", "com.netflix", "com.oracle", "com.zaxxer",
		"io.grpc", "io.ktor", "io.lettuce", "io.micrometer", "io.micronaut", "io.netty", "io.opentelemetry", "io.quarkus", "io.reactivex",
		"io.sentry", "io.undertow", "io.vertx",
		"net.bytebuddy", "net.sf", "ch.qos", "worker.org":
		return true
	default:
		return false
	}
}

// isDotNetStub reports whether .NET generated the method at run time.
func (f *Frame) isDotNetStub() bool {
	switch f.Module {
	case "":
		return strings.HasPrefix(f.Function, "lambda_method") || strings.HasPrefix(f.Function, "SyncInvoke")
	case "CallSite", "dynamicClass", "DynamicClass":
		return true
	default:
		return strings.HasPrefix(f.Module, "InvokeStub_")
	}
}

// isDotNetLibrary reports whether the class belongs to .NET or a common library.
func isDotNetLibrary(class string) bool {
	switch class[:dotAfter(class, 0)] {
	case "System", "Microsoft", "MS", "Mono", "Windows", "WinRT", "ABI", "Interop", "FSharp", "string", "object",
		"Android", "AndroidX", "Java", "ObjCRuntime", "UIKit", "Xamarin", "UnityEngine", "UnityEditor", "UnityEngineInternal",
		"Amazon", "Autofac", "AutoMapper", "Azure", "Castle", "Confluent", "Dapper", "Elasticsearch", "FluentValidation", "Giraffe", "Google",
		"Grpc", "Hangfire", "HotChocolate", "ICSharpCode", "IdentityModel", "IdentityServer4", "MassTransit", "MediatR", "MongoDB", "MySql",
		"MySqlConnector", "NHibernate", "NLog", "NUnit", "Newtonsoft", "Npgsql", "OpenTelemetry", "Owin", "Polly", "Quartz", "RabbitMQ", "Refit",
		"RestSharp", "Sentry", "Serilog", "ServiceStack", "SkiaSharp", "StackExchange", "Swashbuckle", "Xunit", "log4net", "xunit":
		return true
	default:
		return false
	}
}
