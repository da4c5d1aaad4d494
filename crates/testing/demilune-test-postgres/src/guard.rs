//! A process that outlives the tests for a moment, to end the server and remove its folder whatever happened to them.

use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// The server's data within its folder.
pub(crate) const DATA: &str = "data";

/// Its standard input is a pipe that this process alone holds. The kernel closes it when the process ends, also by
/// `kill -9`, and also when this stands in a static, whose `Drop` never runs.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
cat > /dev/null
pid=$(head -n 1 "$1/$2/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2> /dev/null
    tries=0
    while kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
fi
rm -rf "$1"
"#;

/// The guard's process, and the pipe that keeps it waiting.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
}

impl Guard {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "guard"]).arg(folder).arg(DATA).current_dir("/").process_group(0);
        // Nothing of the tests' output, or whoever reads it would wait for the guard.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("a shell can be run") }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
