package com.acme.shop;

/** Is loaded by a class loader of its own. */
public class Plugin implements Runnable {
  @Override
  public void run() {
    throw new UnsupportedOperationException("not in this plugin");
  }
}
