#!/bin/sh
# All tests, in the release profile. Prints the wall time of each phase.
set -eu
phase() {
    name=$1
    shift
    from=$(date +%s)
    "$@"
    echo "phase $name: $(($(date +%s) - from)) s"
}
phase build cargo build --release --locked --all-targets
phase tests cargo test --release --locked --lib --bins --test it --test heart
phase doctests cargo test --release --locked --doc
