//! The unprivileged user that the server runs as when the tests run as root.

use std::{fs, os::unix::fs::chown, path::Path};

use rustix::process::geteuid;

/// A user and its group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Account {
    /// None where the tests do not run as root: then the server runs as their user.
    pub(crate) fn unprivileged() -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("the list of users");
        let account = ["postgres", "nobody"].iter().find_map(|name| find(&users, name));
        Some(account.expect("PostgreSQL refuses to run as root, and there is no user postgres or nobody"))
    }

    /// Hands a folder over.
    pub(crate) fn own(&self, folder: &Path) {
        chown(folder, Some(self.user), Some(self.group)).expect("root may change the owner of a folder");
    }
}

/// From the lines of `/etc/passwd`.
fn find(users: &str, name: &str) -> Option<Account> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2);
    Some(Account { user: ids.next()?.parse().ok()?, group: ids.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users =
            "root:x:0:0:root:/root:/bin/bash\nnobody2:x:7:7::/:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/sh\n";
        assert_eq!(find(users, "nobody"), Some(Account { user: 65534, group: 65533 }));
        assert_eq!(find(users, "postgres"), None);
    }
}
