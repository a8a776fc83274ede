//! `cargo xtask demo`: everything running, for a person; `--smoke`: the same, driven by a program.

use anyhow::Result;

use crate::smoke;
use crate::stack::{self, Addresses, Ports, Stack};

/// Options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Accept once, decline once, upgrade once over HTTP on free ports, print `demo ok`, and end.
    #[arg(long)]
    smoke: bool,
}

/// Builds and starts everything.
///
/// # Errors
/// When something does not build, does not come up, or does not do what it should.
pub(crate) fn run(args: &Args) -> Result<()> {
    stack::build()?;
    if args.smoke {
        let stack = Stack::start(&Ports::OutOfTheWay)?;
        smoke::drive(&stack.addresses)?;
        println!("demo ok");
        return Ok(());
    }
    let stack = Stack::start(&Ports::Usual)?;
    print!("{}", welcome(&stack.addresses));
    stack.wait(false)
}

fn welcome(at: &Addresses) -> String {
    let Addresses { shop, sim, proxy, ops, data_dir, .. } = at;
    format!(
        "
Running. Ctrl-C ends it all.

  Shop        {shop}/            start here
  Proxy       {proxy}   (health and metrics: {ops})
  Simulator   {sim}/_sim/ledger   every charge, as Dodo would see it
  Logs        {}

Buy something and pay on the hosted page with one of Dodo's test cards, expiry 06/32, CVC 123:

  4242 4242 4242 4242   pays; the next page makes an offer: accept it with one click, or decline it for good
  4000 0000 0000 0341   pays now and is refused at the next charge: see how the offer fails, and the way on
  4000 0000 0000 0002   is refused at once

Buy the Basic plan, then open {shop}/account to compare plans and change to another.
Add ?theme=dark, ?locale=ja or ?dir=rtl to any page of the shop.

",
        data_dir.display()
    )
}
