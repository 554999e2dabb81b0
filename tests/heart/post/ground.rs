//! What the servers of these tests stand on: certificates made by openssl, free ports, and chasquid, a mail server as Debian has it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An authority, and a certificate of it for localhost and 127.0.0.1.
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// The ones most tests use.
    pub fn usual() -> &'static Certificates {
        static USUAL: OnceLock<Certificates> = OnceLock::new();
        USUAL.get_or_init(Certificates::make)
    }

    pub fn make() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        let script = "set -e
            curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
            openssl req -x509 $curve -days 30 -subj '/CN=test authority' -keyout ca.key -out ca.pem
            openssl req $curve -subj '/CN=localhost' -keyout key.pem -out leaf.csr
            echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' > leaf.ext
            openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile leaf.ext -out leaf.pem
            cat leaf.pem ca.pem > chain.pem";
        let made = Command::new("sh").args(["-c", script]).current_dir(&folder).output().unwrap();
        assert!(
            made.status.success(),
            "openssl is needed: apt-get install openssl\n{}",
            String::from_utf8_lossy(&made.stderr)
        );
        Certificates { folder }
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

/// A port nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running chasquid with the users auditor (password `s3cret`) and compliance, mailboxes as files of one folder.
pub struct Chasquid {
    folder: tempfile::TempDir,
    pub submission: u16,
    pub implicit: u16,
    server: Option<Child>,
}

/// Nobody's number: a server started by root gives its rights up.
const NOBODY: u32 = 65534;

impl Chasquid {
    pub fn start() -> Chasquid {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let (submission, implicit, smtp) = (free_port(), free_port(), free_port());
        for name in ["etc/certs/localhost", "etc/domains/example.test", "data", "inbox"] {
            fs::create_dir_all(here.join(name)).unwrap();
        }
        let certificates = Certificates::usual();
        fs::copy(certificates.chain(), here.join("etc/certs/localhost/fullchain.pem")).unwrap();
        fs::copy(certificates.key(), here.join("etc/certs/localhost/privkey.pem")).unwrap();
        let place = here.display();
        let config = format!(
            "hostname: \"localhost\"\nsmtp_address: \"127.0.0.1:{smtp}\"\nsubmission_address: \"127.0.0.1:{submission}\"\n\
             submission_over_tls_address: \"127.0.0.1:{implicit}\"\nmail_delivery_agent_bin: \"{place}/mda.sh\"\n\
             mail_delivery_agent_args: \"%to_user%\"\ndata_dir: \"{place}/data\"\nmail_log_path: \"<stderr>\"\n"
        );
        fs::write(here.join("etc/chasquid.conf"), config).unwrap();
        let agent = format!(
            "#!/bin/sh\nt=$(mktemp '{place}/inbox/.part.XXXXXX') && cat > \"$t\" && mv \"$t\" \"{place}/inbox/$1-$(basename \"$t\").eml\"\n"
        );
        fs::write(here.join("mda.sh"), agent).unwrap();
        let run =
            |line: &str| assert!(Command::new("sh").args(["-c", line]).current_dir(here).status().unwrap().success());
        run("chmod 755 mda.sh");
        for (user, password) in [("auditor", "s3cret"), ("compliance", "other")] {
            let util = Command::new(program("chasquid-util"))
                .arg(format!("-C={place}/etc"))
                .args(["user-add", &format!("{user}@example.test"), &format!("--password={password}")])
                .output()
                .unwrap();
            assert!(util.status.success(), "{util:?}");
        }
        if is_root() {
            run(&format!("chown -R {NOBODY}:{NOBODY} ."));
        }
        let mut chasquid = Chasquid { folder, submission, implicit, server: None };
        chasquid.up();
        chasquid
    }

    /// Starts the server again after [`Chasquid::down`].
    pub fn up(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let chasquid = program("chasquid");
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"])
                    .arg(chasquid);
                command
            }
            false => Command::new(chasquid),
        };
        let config = format!("--config_dir={}/etc", self.folder.path().display());
        let child = command.arg(config).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.server = Some(child);
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.submission)).is_err() {
            assert!(Instant::now() < until, "{}", fs::read_to_string(self.folder.path().join("log")).unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn down(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// The mails of a user, once there are so many; the server hands them over after it has said yes.
    pub fn inbox(&self, user: &str, expected: usize) -> Vec<Vec<u8>> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let mails = self.mails(user);
            if mails.len() >= expected || Instant::now() > until {
                // One too many would come now.
                std::thread::sleep(Duration::from_millis(300));
                let mails = self.mails(user);
                assert_eq!(mails.len(), expected, "{}", fs::read_to_string(self.folder.path().join("log")).unwrap());
                return mails;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn mails(&self, user: &str) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.folder.path().join("inbox")).unwrap().map(|entry| entry.unwrap());
        let of = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(&format!("{user}-"));
        entries.filter(of).map(|entry| fs::read(entry.path()).unwrap()).collect()
    }
}

impl Drop for Chasquid {
    fn drop(&mut self) {
        self.down();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Where a program of the package is: installed, or unpacked by `tests/needs.sh`.
fn program(name: &str) -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/parts/usr/bin");
    let folders = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let found = folders.into_iter().chain([unpacked]).map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not here: run tests/needs.sh, or apt-get install chasquid"))
}
