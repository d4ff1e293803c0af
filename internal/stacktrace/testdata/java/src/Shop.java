package com.acme.shop;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** Writes one file per case into the folder that is its argument. */
public class Shop {
  static Path out;

  static class Cart implements AutoCloseable {
    final String name;

    Cart(String name) {
      this.name = name;
    }

    int add(int n) {
      if (n < 0) {
        throw new IllegalArgumentException("quantity must be positive\n\tat least 1 (one)\ngot: " + n);
      }
      return n;
    }

    List<Integer> fill(List<Integer> numbers) {
      return numbers.stream().map(n -> add(n)).collect(Collectors.toList());
    }

    @Override
    public void close() throws IOException {
      try {
        Files.readString(Path.of("/nonexistent/" + name));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot close " + name, e);
      }
    }
  }

  interface Thrower {
    void run() throws Throwable;
  }

  static class Loop extends RuntimeException {
    Loop(String message) {
      super(message);
    }
  }

  static void write(String name, Thrower thrower) throws IOException {
    try {
      thrower.run();
    } catch (Throwable t) {
      StringWriter text = new StringWriter();
      t.printStackTrace(new PrintWriter(text, true));
      Files.writeString(out.resolve(name + ".txt"), text.toString());
      Files.writeString(
          out.resolve(name + ".given.json"),
          "{\"type\": " + json(t.getClass().getName()) + ", \"message\": " + json(t.getMessage()) + "}\n");
    }
  }

  static String json(String s) {
    return s == null
        ? "\"\""
        : "\"" + s.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t") + "\"";
  }

  static void recurse(int n) {
    recurse(n + 1);
  }

  public static void main(String[] args) throws Exception {
    out = Path.of(args[0]);
    Thread.currentThread().setName("main");
    write("multiline_message", () -> new Cart("a").fill(List.of(1, -1)));
    write(
        "caused_by",
        () -> {
          try {
            new Cart("a").fill(List.of(1, -1));
          } catch (IllegalArgumentException e) {
            try {
              throw new IllegalStateException("cart not filled", e);
            } catch (IllegalStateException e2) {
              throw new RuntimeException(e2);
            }
          }
        });
    write(
        "suppressed",
        () -> {
          try (Cart a = new Cart("a");
              Cart b = new Cart("b")) {
            a.add(1);
            throw new IllegalStateException("checkout failed", new Loop("why"));
          }
        });
    write(
        "circular",
        () -> {
          Loop a = new Loop("a");
          Loop b = new Loop("b");
          a.initCause(b);
          b.initCause(a);
          throw a;
        });
    write("no_message", () -> List.of(1).iterator().remove());
    write("recursion", () -> recurse(0));
    write("native_method", () -> Class.forName("com.acme.Missing"));
    write("reflection", () -> Cart.class.getDeclaredMethod("add", int.class).invoke(new Cart("r"), -1));
    write("future", () -> CompletableFuture.supplyAsync(() -> new Cart("f").add(-1)).get());
    write(
        "class_loader",
        () -> {
          URL here = Shop.class.getProtectionDomain().getCodeSource().getLocation();
          try (URLClassLoader plugin = new URLClassLoader("plugin", new URL[] {here}, null)) {
            Runnable r = (Runnable) plugin.loadClass("com.acme.shop.Plugin").getConstructor().newInstance();
            r.run();
          }
        });
  }
}
