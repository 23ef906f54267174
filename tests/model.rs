//! A model of rules R3 to R6 (T14 of docs/reliability.md): two pulls of one image, an `rmi`, a `create`, and a sweep, step by step
//! as `storage/{lease,publish,images,containers,gc}.rs` do them. Every order of their steps is tried, and every process may be
//! killed before each of its steps. What must not be is looked for in every state; what a rule is good for shows in what happens
//! without it.

use std::collections::{HashMap, HashSet};

const PULLS: usize = 2;
const REMOVER: usize = 2;
const CREATOR: usize = 3;
const SWEEPER: usize = 4;
const ACTORS: usize = 5;

/// How far a process is: steps done, or how it ended.
const DONE: u8 = 100;
const DEAD: u8 = 101;

/// A staging directory. It is locked as long as its maker lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Lease {
    alive: bool,
    relies: bool,
    promise: bool,
}

/// The layer stands for its blob as well: they come and go in the same steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct World {
    at: [u8; ACTORS],
    /// What a process has found at its look: the layer, or the image.
    found: [bool; ACTORS],
    /// Who holds the store's lock shared.
    shared: [bool; ACTORS],
    exclusive: Option<u8>,
    leases: [Option<Lease>; PULLS],
    layer: bool,
    image: bool,
    name: bool,
    container: bool,
    /// A pull can answer 0, and nobody has removed the image since.
    pulled: bool,
    /// What the sweeper has seen referred to.
    marked: bool,
    kills: u8,
}

/// Rules that can be left out.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// R3: the image comes after its layers.
    order: bool,
    /// R4: who removes decides under the exclusive lock.
    look_under_lock: bool,
    /// R5: a lease keeps what it relies on.
    leases: bool,
    /// R5: what somebody makes is referred to or leased before the shared lock is gone.
    shared: bool,
    /// An image without a name that was promised one goes with who promised it.
    promises: bool,
    /// It is promised once more under the lock.
    again: bool,
}

const ALL: Rules =
    Rules { order: true, look_under_lock: true, leases: true, shared: true, promises: true, again: true };

impl World {
    fn lock_shared(&mut self, actor: usize) -> bool {
        let free = self.exclusive.is_none();
        self.shared[actor] |= free;
        free
    }

    fn lock_exclusive(&mut self, actor: usize) -> bool {
        let free = self.exclusive.is_none() && self.shared.iter().all(|held| !held);
        if free {
            self.exclusive = u8::try_from(actor).ok();
        }
        free
    }

    fn unlock(&mut self, actor: usize) {
        self.shared[actor] = false;
        if self.exclusive == u8::try_from(actor).ok() {
            self.exclusive = None;
        }
    }

    /// The world after the next step of a process; none if it has ended or must wait.
    fn step(mut self, actor: usize, rules: Rules) -> Option<Self> {
        let step = self.at[actor];
        if step >= DONE {
            return None;
        }
        let (goes_on, last) = match actor {
            REMOVER => (self.remove(step, rules), 3),
            CREATOR => (self.create(step, rules), 3),
            SWEEPER => (self.sweep(step, rules), 6),
            _ => (self.pull(actor, step, rules), 13),
        };
        if self.at[actor] == step {
            self.at[actor] = if step == last { DONE } else { step + 1 };
        }
        goes_on.then_some(self)
    }

    fn pull(&mut self, actor: usize, step: u8, rules: Rules) -> bool {
        let lease =
            |world: &mut Self, change: fn(&mut Lease)| world.leases[actor].as_mut().into_iter().for_each(change);
        match step {
            // `Store::lease`.
            0 | 3 => return self.lock_shared(actor),
            1 => self.leases[actor] = Some(Lease { alive: true, relies: false, promise: false }),
            // `Lease::rely_on_layer`: noted before the look.
            4 => {
                lease(self, |lease| lease.relies = true);
                self.found[actor] = self.layer;
            }
            2 | 5 => self.unlock(actor),
            // `Lease::promise`: first the note, then the look. Two steps of one, for nobody else removes an image here.
            6 => {
                if !self.image {
                    lease(self, |lease| lease.promise = true);
                }
            }
            // `Store::publish`.
            7 => return !rules.shared || self.lock_shared(actor),
            // `Lease::promise_again`.
            8 => {
                if rules.again && !self.image {
                    lease(self, |lease| lease.promise = true);
                }
            }
            9 if rules.order => self.layer |= !self.found[actor],
            9 => self.image = true,
            10 if rules.order => self.image = true,
            10 => self.layer |= !self.found[actor],
            11 => (self.name, self.pulled) = (true, true),
            12 => self.unlock(actor),
            // `Lease::finish`.
            _ => self.leases[actor] = None,
        }
        true
    }

    /// `rmi` of the name, which is the image's last.
    fn remove(&mut self, step: u8, rules: Rules) -> bool {
        match step {
            0 => {
                let free = !rules.look_under_lock || self.lock_exclusive(REMOVER);
                if free && (!self.name || !self.image || self.container) {
                    self.unlock(REMOVER);
                    self.at[REMOVER] = DONE;
                }
                return free;
            }
            1 => (self.image, self.pulled) = (false, false),
            2 => self.name = false,
            _ => self.unlock(REMOVER),
        }
        true
    }

    /// The layers are chosen before the lock, and looked for under it (`check_layers`).
    fn create(&mut self, step: u8, rules: Rules) -> bool {
        match step {
            0 => {
                if !self.name || !self.image {
                    self.at[CREATOR] = DONE;
                }
            }
            1 => return !rules.shared || self.lock_shared(CREATOR),
            2 => {
                self.found[CREATOR] = self.layer;
                if rules.shared {
                    self.container = self.layer;
                }
            }
            _ => {
                self.container |= self.found[CREATOR];
                self.unlock(CREATOR);
            }
        }
        true
    }

    fn sweep(&mut self, step: u8, rules: Rules) -> bool {
        match step {
            0 => return self.lock_exclusive(SWEEPER),
            // `sweep_staging`.
            1 => {
                for lease in self.leases.iter_mut().filter(|lease| lease.is_some_and(|lease| !lease.alive)) {
                    let promised = lease.take().is_some_and(|lease| lease.promise);
                    if promised && rules.promises && !self.name && !self.container {
                        self.image = false;
                    }
                }
            }
            // `sweep_references`.
            2 => self.name &= self.image,
            // `mark`.
            3 => {
                let leased = self.leases.iter().flatten().any(|lease| lease.relies && lease.alive);
                self.marked = self.image || self.container || rules.leases && leased;
            }
            4 => self.layer &= self.marked,
            5 => self.marked = false,
            _ => self.unlock(SWEEPER),
        }
        true
    }

    /// The kernel releases what it held.
    fn kill(mut self, actor: usize) -> Option<Self> {
        if self.at[actor] >= DONE {
            return None;
        }
        self.at[actor] = DEAD;
        self.unlock(actor);
        if let Some(lease) = self.leases.get_mut(actor).and_then(Option::as_mut) {
            lease.alive = false;
        }
        self.kills += 1;
        Some(self)
    }

    /// What is wrong now.
    fn wrong(&self) -> Option<&'static str> {
        let busy = self.exclusive.is_some() || self.shared.contains(&true);
        let wrong = [
            (self.image && !self.layer, "I5: an image without its layer"),
            (self.container && !self.layer, "I7: a container without its layer"),
            (
                self.name && !self.image && !busy && self.kills == 0,
                "I6: a name that leads nowhere, and nobody was killed",
            ),
            (self.pulled && !(self.name && self.image), "what was acknowledged is gone"),
        ];
        wrong.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what))
    }

    /// What a sweep that nobody disturbs leaves, when all have ended.
    fn left(mut self) -> Option<&'static str> {
        if self.at.iter().any(|at| *at < DONE) {
            return None;
        }
        for step in 0..=6 {
            assert!(self.sweep(step, ALL), "nobody is there");
        }
        let wrong = [
            (self.layer && !self.image && !self.container, "I15: a layer that nothing refers to"),
            (self.name && !self.image, "I6: a name that leads nowhere"),
            (self.leases.iter().any(Option::is_some), "I9: a staging directory"),
            (self.image && !self.name && !self.container, "an image without a name, of which nobody was told"),
            (self.pulled && !self.name, "what was acknowledged is gone"),
        ];
        wrong.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what)).or_else(|| self.wrong())
    }
}

/// Tries everything. How many states there are, or what is wrong in one of them and how it came about.
fn explore(rules: Rules, kills: u8) -> Result<usize, String> {
    let mut seen = HashSet::from([World::default()]);
    let mut came: HashMap<World, (World, String)> = HashMap::new();
    let mut open = vec![World::default()];
    while let Some(world) = open.pop() {
        if let Some(wrong) = world.wrong().or_else(|| world.left()) {
            let mut story = vec![wrong.to_owned()];
            let mut place = &world;
            while let Some((before, what)) = came.get(place) {
                story.push(what.clone());
                place = before;
            }
            return Err(story.join(" < "));
        }
        for actor in 0..ACTORS {
            let step = world.step(actor, rules).map(|next| (next, "step"));
            let kill = (world.kills < kills).then(|| world.kill(actor)).flatten().map(|next| (next, "kill"));
            for (next, what) in step.into_iter().chain(kill) {
                if seen.insert(next) {
                    came.insert(next, (world, format!("{what} {actor}.{}", world.at[actor])));
                    open.push(next);
                }
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn t14_nothing_that_is_referred_to_is_ever_missing() {
    let states = explore(ALL, 2).unwrap_or_else(|story| panic!("{story}"));
    assert!(states > 10_000, "{states}");
}

/// Otherwise the model would see nothing.
#[test]
fn t14_each_rule_is_needed() {
    for (rules, expected) in [
        (Rules { order: false, ..ALL }, "I5"),
        (Rules { look_under_lock: false, ..ALL }, ""),
        (Rules { leases: false, ..ALL }, "I5"),
        (Rules { shared: false, ..ALL }, ""),
        (Rules { promises: false, ..ALL }, "without a name"),
        (Rules { again: false, ..ALL }, "without a name"),
    ] {
        let story = explore(rules, 2).expect_err("a rule that is not needed");
        assert!(story.contains(expected), "{rules:?}: {story}");
    }
}
