# Writes one file per case into the folder that is its argument.
require "json"
require "set"
require "time"

OUT = ARGV.fetch(0)

module Shop
  class OutOfStock < StandardError; end

  class Cart
    def add(n)
      raise ArgumentError, "quantity must be positive\n  from: the form\ngot: #{n}" if n < 0
      n
    end

    def fill(ns) = ns.map { |n| add(n) }

    def self.load(ns)
      new.fill(ns)
    rescue ArgumentError
      raise OutOfStock, "cart not loaded"
    end
  end
end

def write(name, e, text)
  File.write("#{OUT}/#{name}.txt", text)
  File.write("#{OUT}/#{name}.given.json", JSON.generate(type: e.class.to_s, message: e.message) + "\n")
end

def attempt(name)
  yield
rescue Exception => e
  write(name, e, e.full_message(highlight: false, order: :top))
  write("#{name}_bottom", e, e.full_message(highlight: false, order: :bottom)) if %w[cause plain].include?(name)
  write("#{name}_backtrace", e, e.backtrace.join("\n")) if name == "cause"
end

def recurse(n) = recurse(n + 1)

attempt("plain") { Shop::Cart.new.fill([1, -1]) }
attempt("cause") { Shop::Cart.load([1, -1]) }
attempt("name_error") { discount.apply }
attempt("no_message") { raise "" }
attempt("library") { Time.parse("yesterday-ish") }
attempt("json") { JSON.parse('{"a": }') }
attempt("eval") { eval("Shop::Cart.new.add(-1)") }
attempt("internal") { 1.times { loop { Integer("x") } } }
attempt("anonymous") { Class.new(StandardError).then { |c| raise Shop::OutOfStock.new("anonymous") } }
attempt("recursion") { recurse(0) }
attempt("syntax_error") { eval("total = = 2") }
