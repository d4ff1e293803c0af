use std::backtrace::Backtrace;
mod cart {
    pub struct Cart<T> { pub items: Vec<T> }
    pub trait Check { fn check(&self, n: i32); }
    impl<T> Check for Cart<T> {
        fn check(&self, n: i32) { if n < 0 { panic!("quantity must be positive\ngot: {}", n) } }
    }
    impl<T> Cart<T> {
        pub fn fill(&self, ns: &[i32]) { ns.iter().for_each(|n| self.check(*n)); }
    }
}
#[inline(never)]
fn captured() -> Backtrace { Backtrace::force_capture() }
fn main() {
    let arg = std::env::args().nth(1).unwrap_or_default();
    if arg == "backtrace" { println!("{}", captured()); return }
    if arg == "thread" {
        let r = std::thread::Builder::new().name("worker".into()).spawn(|| { let v: Vec<i32> = vec![]; let i = std::hint::black_box(5); println!("{}", v[i]); }).unwrap().join();
        println!("{}", r.is_err()); return
    }
    let c = cart::Cart::<String> { items: vec![] };
    c.fill(&[1, -1]);
}
