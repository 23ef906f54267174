//! The role is chosen here, before any thread and before clap: see `lib::main`.

fn main() -> std::process::ExitCode {
    sampan::main()
}
