//! Visits every state that a system can come to, breadth first, so that the way to the first broken promise is a shortest
//! one.

use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

use super::{
    journal::Journal,
    moves::Moves,
    promise::{Promise, Promises, broken_now},
    rest::broken_in_the_end,
    step::Step,
    system::System,
    world::{Packed, World},
};

/// Findings of one exploration.
#[derive(Debug)]
pub(super) struct Found {
    /// States visited.
    pub(super) states: u64,
    /// Requests that left, on any way.
    pub(super) posts: u64,
    /// Each broken promise with a shortest way to it.
    pub(super) broken: Vec<Way>,
}

/// A way to a broken promise.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) promise: Promise,
    pub(super) steps: Vec<Step>,
    /// It shows only once everything has come to rest from there.
    pub(super) at_rest: bool,
}

/// States as they were found, each with the one that it was found from.
struct Visited {
    all: Vec<(Packed, u32)>,
    known: HashSet<Packed, FxBuildHasher>,
}

/// Explores a system whole, or until it was caught at everything that it has to be caught at.
///
/// # Errors
/// When production's rows cannot be named.
pub(super) fn explore(system: &System) -> anyhow::Result<Found> {
    let journal = Journal::of(system.variant)?;
    let start = World::start();
    let mut visited = Visited { all: vec![(start.pack(), 0)], known: HashSet::default() };
    visited.known.insert(start.pack());
    let mut moves = Moves { system, journal: &journal, found: Vec::new() };
    let (mut told, mut broken, mut posts) = (Promises::default(), Vec::new(), 0_u64);
    let mut at = 0;
    while let Some((packed, _)) = visited.all.get(at) {
        let world = World::unpack(packed);
        let now = broken_now(&world);
        let mut all = broken_in_the_end(system, &journal, &world);
        all.add(now);
        for promise in all.without(told).list() {
            told.add_if(true, promise);
            let steps = visited.way_to(system, &journal, at);
            broken.push(Way { promise, steps, at_rest: !now.has(promise) });
        }
        let caught = |promise: &Promise| told.has(*promise);
        if !system.caught_at.is_empty() && system.caught_at.iter().all(caught) {
            break;
        }
        moves.of(&world);
        for (step, next) in &moves.found {
            posts += u64::from(matches!(step, Step::Sends(_) | Step::Repeats(_)));
            visited.note(next, at);
        }
        at += 1;
    }
    Ok(Found { states: visited.all.len() as u64, posts, broken })
}

impl Visited {
    fn note(&mut self, world: &World, from: usize) {
        let packed = world.canonical().pack();
        if self.known.insert(packed) {
            // Four thousand million states would not fit into any memory.
            self.all.push((packed, from as u32));
        }
    }

    /// The steps to a state. Which steps they were is found by taking them again, with attempts in the places that they
    /// came to.
    fn way_to(&self, system: &System, journal: &Journal, at: usize) -> Vec<Step> {
        let (mut way, mut at) = (Vec::new(), at);
        while let Some((packed, from)) = self.all.get(at).filter(|_| at != 0) {
            way.push(packed);
            at = *from as usize;
        }
        let mut moves = Moves { system, journal, found: Vec::new() };
        let (mut steps, mut world) = (Vec::new(), World::start());
        for packed in way.into_iter().rev() {
            moves.of(&world);
            let leads_on = |(_, next): &&(Step, World)| next.canonical().pack() == *packed;
            let Some((step, next)) = moves.found.iter().find(leads_on).copied() else { break };
            steps.push(step);
            world = next;
        }
        steps
    }
}
