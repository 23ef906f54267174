//! Which points of a case are tried, and the loop over them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

use nix::errno::Errno;
use syscalls::Sysno;

use super::calls::Weight;
use super::cases::{self, Case};
use super::oracle::{self, Rest};
use super::tracer::{self, Action, Call, Point, Traced};
use crate::harness::{Env, Random, Registry};

/// The choice of points that `make test` tries.
const SEED: u64 = 7;

/// The process of the command itself, or of the shell of a case with several.
const COMMAND: &str = "0";

/// How many points, and which, from the environment.
#[derive(Debug, Clone, Copy)]
struct Scope {
    /// `SAMPAN_TEST_FAULT`: points per case, or `all`.
    points: usize,
    /// `SAMPAN_TEST_SEED`: the choice.
    seed: u64,
    /// `SAMPAN_TEST_PART`, like `2/4`: the second of four parts. Many points wait more than they work.
    part: (u64, u64),
}

impl Scope {
    fn from_environment(sample: usize) -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let points = match variable("SAMPAN_TEST_FAULT").as_deref() {
            Some("all") => usize::MAX,
            Some(number) => number.parse().unwrap(),
            None => sample,
        };
        // The same points in every `make test`, so that it fails for what changed; `make fault` tries the others.
        let seed = variable("SAMPAN_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
        let part = variable("SAMPAN_TEST_PART").map_or((1, 1), |text| {
            let (part, parts) = text.split_once('/').unwrap();
            (part.parse().unwrap(), parts.parse().unwrap())
        });
        Self { points, seed, part }
    }

    /// By its name and not its place: the lists of two runs differ by a check more or less.
    fn has(self, (point, action): &(Point, Action)) -> bool {
        let mut hasher = std::hash::DefaultHasher::new();
        format!("{action} {point}").hash(&mut hasher);
        hasher.finish() % self.part.1 == self.part.0 - 1
    }
}

/// A store, and what is in it when nothing goes on.
struct World {
    env: Env,
    _registry: Option<Registry>,
    rest: Rest,
    calls: Vec<Call>,
}

impl World {
    fn new(case: &Case) -> Self {
        let (env, registry) = cases::world(case);
        let mut calls = Vec::new();
        // The second time nothing is made for the first time any more.
        for round in 0..2 {
            let stages = [("setup", if round == 0 { case.setup } else { "true" }), ("before", case.before)];
            for (what, text) in stages {
                oracle::script(&env, what, text).unwrap();
            }
            let traced = trace(&env, case, None);
            assert!(
                traced.status.is_some_and(|status| status.code().is_some_and(|code| code < 2)),
                "{}: {traced:?}",
                case.name
            );
            calls = traced.calls;
            oracle::script(&env, "again", case.again).unwrap();
        }
        oracle::script(&env, "check", "$S system check").unwrap();
        let rest = Rest::look(&env);
        Self { env, _registry: registry, rest, calls }
    }
}

fn trace(env: &Env, case: &Case, target: Option<(Point, Action)>) -> Traced {
    // It stops itself for the tracer, and becomes the case.
    let stop = ["-c", "kill -STOP $$; exec \"$@\"", "stop", "/bin/sh", "-c", case.act];
    tracer::trace(env.other("/bin/sh").args(stop), &env.root().join("out/traced"), target)
}

/// Kills at points of the case.
pub(super) fn kills(name: &str, sample: usize) {
    let choose = |call: &Call| match call.weight {
        Weight::State => vec![Action::Kill],
        // One in eight, the same ones in every run.
        Weight::Other if call.point.nth % 8 == 1 => vec![Action::Kill],
        Weight::Other | Weight::None => Vec::new(),
    };
    sweep(name, sample, choose);
}

/// Errors at points of the case.
pub(super) fn errors(name: &str, sample: usize) {
    sweep(name, sample, |call| call.errors.iter().map(|errno| Action::Fail(*errno)).collect());
}

/// One point that was a defect once, found by its call and the end of its path, for its number changes with the code.
pub(super) fn regression(name: &str, call: Sysno, subject: &str, action: Action) {
    let case = cases::case(name);
    for repair_first in [true, false] {
        let world = World::new(case);
        let found = world.calls.iter().find(|seen| seen.point.call == call && seen.subject.contains(subject));
        let point = found.unwrap_or_else(|| panic!("{name} makes no {} of {subject:?}", call.name())).point.clone();
        let (fired, verdict) = disturb(&world, case, &point, action, repair_first);
        assert!(fired, "{name}: not reached: {point}");
        verdict.unwrap_or_else(|problem| panic!("{name}: {action} at {point}: {problem}"));
    }
}

/// Every call of one kind whose path ends so.
pub(super) fn each(name: &str, call: Sysno, end: &str, action: Action) {
    let case = cases::case(name);
    let world = World::new(case);
    let points = world.calls.iter().filter(|seen| seen.point.call == call && seen.subject.ends_with(end));
    let points: Vec<_> = points.map(|seen| seen.point.clone()).collect();
    assert!(!points.is_empty(), "{name} makes no {} of {end:?}", call.name());
    all(&world, case, points.into_iter().map(|point| (point, action)));
}

/// The same for a command that tidies up itself: a look finds nothing, before anybody sweeps or repairs.
pub(super) fn each_tidied(name: &str, call: Sysno, end: &str, errno: Errno) {
    let case = cases::case(name);
    let world = World::new(case);
    let points = world.calls.iter().filter(|seen| seen.point.call == call && seen.subject.ends_with(end));
    let points: Vec<_> = points.map(|seen| seen.point.clone()).collect();
    assert!(!points.is_empty(), "{name} makes no {} of {end:?}", call.name());
    for point in points {
        oracle::script(&world.env, "before", case.before).unwrap();
        let traced = trace(&world.env, case, Some((point.clone(), Action::Fail(errno))));
        assert!(traced.fired.is_some(), "{name}: not reached: {point}");
        oracle::script(&world.env, "looking for what was left", "$S system check")
            .and_then(|()| oracle::judge(&world.env, case, &world.rest, false))
            .unwrap_or_else(|problem| panic!("{name}: {errno} at {point}: {problem}"));
    }
}

/// Tries these points. Most of them must be reached, or nothing was tried.
fn all(world: &World, case: &Case, points: impl Iterator<Item = (Point, Action)>) -> usize {
    let (mut tried, mut missed) = (0, 0);
    for (point, action) in points {
        let (fired, verdict) = disturb(world, case, &point, action, tried % 2 == 0);
        verdict.unwrap_or_else(|problem| panic!("{}: {action} at {point}: {problem}", case.name));
        tried += 1;
        missed += usize::from(!fired);
    }
    assert!(missed * 2 < tried, "{}: {missed} of {tried} points were not reached", case.name);
    tried
}

/// The first calls of one kind, up to a number.
pub(super) fn every(name: &str, call: Sysno, action: Action, count: u32) {
    let case = cases::case(name);
    let world = World::new(case);
    all(&world, case, (1..=count).map(|nth| (Point { process: COMMAND.to_owned(), call, nth }, action)));
}

/// Kills of the process whose child becomes `program`, and of its other children, at every call: the moments before, while
/// and after the program works. Of those that nobody else can see a sample is taken, but for an exhaustive run.
pub(super) fn deaths_beside(name: &str, program: &str, sample: usize) {
    let case = cases::case(name);
    let scope = Scope::from_environment(sample);
    let world = World::new(case);
    let becomes = |call: &&Call| call.point.call == Sysno::execve && call.subject.ends_with(program);
    let helper = world.calls.iter().find(becomes).unwrap_or_else(|| panic!("{name} starts no {program}"));
    let (parent, _) = helper.point.process.rsplit_once('.').unwrap();
    assert_ne!(parent, COMMAND, "the command itself starts {program}");
    let within = |call: &&Call| {
        call.point.process.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let calls = world.calls.iter().filter(within);
    let (seen, unseen): (Vec<_>, Vec<_>) =
        calls.filter(|call| call.weight != Weight::None).partition(|call| call.weight == Weight::State);
    let kill = |calls: Vec<&Call>| calls.into_iter().map(|call| (call.point.clone(), Action::Kill)).collect::<Vec<_>>();
    let points = [kill(seen), pick(kill(unseen), scope)].concat();
    let tried = all(&world, case, points.into_iter());
    eprintln!("{name}: {tried} deaths beside {program}");
}

/// A kernel that does not have what each such call asks for: the command does the same without it.
pub(super) fn without(name: &str, call: Sysno, subject: &str, errno: Errno) {
    on_a_kernel(name, call, |seen| seen.subject.ends_with(subject), &[Action::Fail(errno)]);
}

/// The same, where a process that was refused once does not ask again.
pub(super) fn without_asking_again(name: &str, call: Sysno, subject: &str, errno: Errno) {
    let mut refused = BTreeSet::new();
    let first = |seen: &Call| seen.subject.ends_with(subject) && refused.insert(seen.point.process.clone());
    on_a_kernel(name, call, first, &[Action::Fail(errno)]);
}

/// Kernels that answer the first such call of each process in another way: the command does the same.
pub(super) fn first_answered(name: &str, call: Sysno, answers: impl Iterator<Item = i64>) {
    on_a_kernel(name, call, |seen| seen.point.nth == 1, &answers.map(Action::Answer).collect::<Vec<_>>());
}

fn on_a_kernel(name: &str, call: Sysno, mut wanted: impl FnMut(&Call) -> bool, actions: &[Action]) {
    let case = cases::case(name);
    let world = World::new(case);
    let points = world.calls.iter().filter(|seen| seen.point.call == call && wanted(seen));
    let points: Vec<_> = points.map(|seen| seen.point.clone()).collect();
    assert!(!points.is_empty(), "{name} makes no such {}", call.name());
    for (point, action) in points.iter().flat_map(|point| actions.iter().map(move |action| (point, *action))) {
        oracle::script(&world.env, "before", case.before).unwrap();
        let traced = trace(&world.env, case, Some((point.clone(), action)));
        assert!(traced.fired.is_some(), "{name}: not reached: {point}");
        assert!(traced.status.is_some_and(|status| status.success()), "{name}: {action} at {point}: {traced:?}");
        oracle::judge(&world.env, case, &world.rest, false)
            .unwrap_or_else(|problem| panic!("{name}: {action} at {point}: {problem}"));
    }
}

/// The calls that a case makes.
pub(super) fn calls(name: &str) -> Vec<Call> {
    World::new(cases::case(name)).calls
}

/// How often a point that was not reached is tried again.
const TRIES: u32 = 2;

fn sweep(name: &str, sample: usize, choose: impl Fn(&Call) -> Vec<Action>) {
    let case = cases::case(name);
    let scope = Scope::from_environment(sample);
    let mut world = World::new(case);
    let wanted = |call: &&Call| case.only.is_empty() || case.only.contains(&call.comm.as_str());
    let candidates: Vec<_> = world
        .calls
        .iter()
        .filter(wanted)
        .flat_map(|call| choose(call).into_iter().map(|action| (call.point.clone(), action)))
        .collect();
    // A process that is called otherwise now, or a call that is not made any more, must not pass for tried.
    for process in case.only {
        assert!(world.calls.iter().any(|call| call.comm == *process), "{name}: no process is called {process}");
    }
    assert!(!candidates.is_empty(), "{name}: there is nothing to try");
    let points: Vec<_> = match std::env::var("SAMPAN_TEST_POINT") {
        Ok(text) => {
            let point: Point = text.parse().unwrap();
            let points: Vec<_> = candidates.iter().filter(|(other, _)| *other == point).cloned().collect();
            assert!(!points.is_empty(), "{name} has no point {point}");
            points
        }
        Err(_) => pick(candidates.clone(), scope).into_iter().filter(|point| scope.has(point)).collect(),
    };
    let (mut failures, mut missed, mut reached) = (BTreeMap::new(), 0, 0);
    // What was not reached is tried again: it may have been a matter of the moment.
    let mut queue: VecDeque<_> = points.iter().map(|(point, action)| (point, action, 0)).collect();
    while let Some((point, action, tries)) = queue.pop_front() {
        let (fired, verdict) = disturb(&world, case, point, *action, reached % 2 == 0);
        match (fired, tries) {
            (true, _) => reached += 1,
            (false, 0..TRIES) if verdict.is_ok() => queue.push_back((point, action, tries + 1)),
            (false, _) => missed += 1,
        }
        if reached > 0 && reached % 50 == 0 {
            eprintln!("{name}: {reached} of {} points, {} failures", points.len(), failures.len());
        }
        if let Err(problem) = verdict {
            eprintln!("{name}: {action} at {point}: {problem}");
            failures.insert(format!("{action} at {point}"), problem);
            world.env.expect_leaks();
            if failures.len() == 12 {
                break;
            }
            world = World::new(case);
        }
    }
    eprintln!(
        "{name}: {} of {} points, {missed} not reached, {} failures, seed {}",
        points.len(),
        candidates.len(),
        failures.len(),
        scope.seed
    );
    let text: Vec<_> = failures.iter().map(|(point, problem)| format!("{point}: {problem}")).collect();
    assert!(failures.is_empty(), "{name}, seed {}:\n{}", scope.seed, text.join("\n"));
    assert!(reached > 0, "{name}: no point was reached");
    assert!(missed <= 1.max(points.len() / 4), "{name}: {missed} of {} points were not reached", points.len());
}

/// One point: true if it was reached, and what the oracle says.
fn disturb(
    world: &World,
    case: &Case,
    point: &Point,
    action: Action,
    repair_first: bool,
) -> (bool, Result<(), String>) {
    let env = &world.env;
    if let Err(problem) = oracle::script(env, "before", case.before) {
        return (false, Err(problem));
    }
    let traced = trace(env, case, Some((point.clone(), action)));
    let fired = traced.fired.is_some();
    let kept = || match traced.status {
        Some(status) if status.success() => oracle::script(env, "it answered 0", cases::done(case.name)),
        _ => Ok(()),
    };
    let judged = answered(&traced, point, action)
        .and_then(|()| kept())
        .and_then(|()| oracle::judge(env, case, &world.rest, repair_first));
    let verdict = judged.map_err(|problem| {
        let at = traced.fired.as_ref().map(|call| format!("{} {:?}", call.comm, call.subject));
        format!("({}) status {:?}, stderr {:?}: {problem}", at.unwrap_or_default(), traced.status, traced.stderr)
    });
    (fired, verdict)
}

/// The command ended, and if it was not killed itself it said in few words what went wrong.
fn answered(traced: &Traced, point: &Point, action: Action) -> Result<(), String> {
    let Some(status) = traced.status else { return Err("it hangs".to_owned()) };
    if traced.stderr.contains("panicked") {
        return Err("it panicked".to_owned());
    }
    if action != Action::Kill || point.process != COMMAND {
        if status.code().is_none() {
            return Err("it died of a signal".to_owned());
        }
        let lines = traced.stderr.lines().filter(|line| line.starts_with("Error")).count();
        // `system check` answers 1 and 2 without an error.
        if status.code() == Some(125) && lines != 1 {
            return Err(format!("it failed with {lines} error lines"));
        }
    }
    Ok(())
}

/// As many as asked for.
fn pick(mut points: Vec<(Point, Action)>, scope: Scope) -> Vec<(Point, Action)> {
    let mut random = Random(scope.seed);
    if scope.points >= points.len() {
        return points;
    }
    (0..scope.points).map(|_| points.swap_remove(random.index(points.len()))).collect()
}
