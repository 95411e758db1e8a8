//! `pqlab assess`: what policies and risk say of what was scanned and found.

mod gathered;
mod prices;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use audit::output::{CbomVersion, cbom, findings_csv, junit, sarif};
use audit::{Assessment, Changes, Policy, Profile, Severity, Target, difference};
use clap::{Args, ValueEnum};
use inventory::InstalledVersion;
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime};

use crate::{Ending, bad_input};
use gathered::Gathered;
pub(crate) use gathered::read_scan;

/// Judge an estate by dated policies and by risk, and say what to change.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 no finding as grave as --fail-on; 1 there is one; 2 bad arguments or \
    input; 3 scanning or writing failed. With --baseline or --verify only new and worse findings \
    count.\n\n\
    `pqlab list policies` names the policies. One without --policy is judged by all of them, \
    which is more than binds anyone: name yours."
)]
pub(crate) struct Arguments {
    /// Results of `pqlab scan --out`; may be given several times.
    #[arg(long, value_name = "FILE")]
    scan: Vec<PathBuf>,

    /// Targets to scan now, as `pqlab scan` takes them.
    #[arg(long, value_name = "TARGET")]
    target: Vec<Target>,

    /// An inventory of `pqlab inventory --out`.
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    inventory: Option<PathBuf>,

    /// Files and folders to take an inventory of now: what is to be changed is then shown as a
    /// diff.
    #[arg(long, value_name = "PATH")]
    path: Vec<PathBuf>,

    /// A program's version and that of its TLS library: nginx=1.22.1/openssl=3.0.2.
    #[arg(
        long,
        value_name = "PROGRAM=VERSION/LIBRARY=VERSION",
        requires = "path"
    )]
    installed: Vec<InstalledVersion>,

    /// The id of a policy, or a file with one of your own; all that are known if left out.
    #[arg(long, value_name = "ID|FILE")]
    policy: Vec<String>,

    /// How long secrets last, how long migrating takes, and what stands where: a TOML file.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,

    /// The day to judge for, as 2030-12-31; today if left out.
    #[arg(long, value_name = "DATE", value_parser = date)]
    at: Option<Date>,

    /// A folder of `pqlab run` on your machine, to price changes by.
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,

    /// An assessment written with --format json: show only what has changed since.
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    baseline: Option<PathBuf>,

    /// Scan the targets of --scan again, and show before and after.
    #[arg(long, requires = "scan")]
    verify: bool,

    /// What to write.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The severity from which a finding makes exit code 1.
    #[arg(long, value_enum, default_value = "high")]
    fail_on: FailOn,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// The whole assessment; a baseline for later.
    Json,
    /// A line for each finding.
    Csv,
    /// A page for the design review.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit, for pipelines.
    Junit,
    /// A cryptography bill of materials, CycloneDX 1.6.
    #[value(name = "cbom-1.6")]
    Cbom16,
    /// The same, CycloneDX 1.7.
    #[value(name = "cbom-1.7", alias = "cbom")]
    Cbom17,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Low,
    Medium,
    High,
    Never,
}

impl FailOn {
    fn counts(self, severity: Severity) -> bool {
        match self {
            Self::Low => severity >= Severity::Low,
            Self::Medium => severity >= Severity::Medium,
            Self::High => severity >= Severity::High,
            Self::Never => false,
        }
    }
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text, &Iso8601::DATE).map_err(|_| "must be a date as 2030-12-31".to_owned())
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    if arguments.scan.is_empty()
        && arguments.target.is_empty()
        && arguments.inventory.is_none()
        && arguments.path.is_empty()
    {
        let what = "nothing to assess: name --scan, --target, --inventory or --path";
        return Err(bad_input(anyhow!(what)));
    }
    let judge = Judge::new(&arguments)?;
    let gathered = Gathered::new(&arguments)?;
    let before = judge.judge(&gathered);
    let (gathered, assessment, changes) = if arguments.verify {
        let again = gathered.scanned_again()?;
        let after = judge.judge(&again);
        let changes = difference(&before, &after);
        (again, after, Some(changes))
    } else if let Some(path) = &arguments.baseline {
        let baseline: Assessment = read_json(path)?;
        let changes = difference(&baseline, &before);
        (gathered, before, Some(changes))
    } else {
        (gathered, before, None)
    };
    let written = match (arguments.format, &changes) {
        (Format::Text, None) => text::assessment(&assessment),
        (Format::Text, Some(changes)) => text::changes(changes),
        (Format::Json, None) => serde_json::to_string_pretty(&assessment)?,
        (Format::Json, Some(changes)) => serde_json::to_string_pretty(changes)?,
        (Format::Csv, _) => findings_csv(&assessment),
        (Format::Html, _) => report::render_assessment(&assessment, &gathered.estate.endpoints)?,
        (Format::Sarif, _) => serde_json::to_string_pretty(&sarif(&assessment))?,
        (Format::Junit, _) => junit(&assessment),
        (Format::Cbom16 | Format::Cbom17, _) => {
            let version = match arguments.format {
                Format::Cbom16 => CbomVersion::V1_6,
                _ => CbomVersion::V1_7,
            };
            let now = OffsetDateTime::now_utc();
            serde_json::to_string_pretty(&cbom(&gathered.estate, version, now))?
        }
    };
    match &arguments.out {
        None => say!("{}", written.trim_end()),
        Some(path) => {
            fs::write(path, written.trim_end().to_owned() + "\n")
                .with_context(|| format!("writing {}", path.display()))?;
        }
    }
    let is_grave = match &changes {
        None => assessment
            .findings
            .iter()
            .any(|one| arguments.fail_on.counts(one.severity)),
        Some(changes) => is_worse(changes, arguments.fail_on),
    };
    Ok(if is_grave { Ending::Bad } else { Ending::Good })
}

fn is_worse(changes: &Changes, fail_on: FailOn) -> bool {
    let new = changes.new.iter().any(|one| fail_on.counts(one.severity));
    let worse = changes
        .changed
        .iter()
        .any(|one| one.after.severity > one.before.severity && fail_on.counts(one.after.severity));
    new || worse
}

/// What an estate is judged by.
struct Judge {
    policies: Vec<Policy>,
    profile: Profile,
    at: Date,
    prices: Option<audit::Prices>,
}

impl Judge {
    fn new(arguments: &Arguments) -> Result<Self> {
        let profile = match &arguments.profile {
            None => Profile::default(),
            Some(path) => Profile::parse(&read(path)?)
                .with_context(|| path.display().to_string())
                .map_err(bad_input)?,
        };
        let prices = arguments.run.as_deref().map(prices::of_run).transpose()?;
        Ok(Self {
            policies: policies(&arguments.policy)?,
            profile,
            at: arguments
                .at
                .unwrap_or_else(|| OffsetDateTime::now_utc().date()),
            prices,
        })
    }

    fn judge(&self, gathered: &Gathered) -> Assessment {
        audit::assess(
            &gathered.estate,
            &self.policies,
            &self.profile,
            self.at,
            self.prices.as_ref(),
        )
    }
}

fn policies(wanted: &[String]) -> Result<Vec<Policy>> {
    let known = Policy::known();
    if wanted.is_empty() {
        return Ok(known);
    }
    let mut policies = Vec::new();
    for name in wanted {
        if let Some(policy) = known.iter().find(|policy| policy.header.id == *name) {
            policies.push(policy.clone());
            continue;
        }
        let path = Path::new(name);
        if !path.exists() {
            let ids: Vec<&str> = known
                .iter()
                .map(|policy| policy.header.id.as_str())
                .collect();
            let ids = ids.join(", ");
            let error = anyhow!("{name:?} is neither a file nor a policy: there are {ids}");
            return Err(bad_input(error));
        }
        let policy = Policy::parse(&read(path)?);
        policies.push(policy.with_context(|| name.clone()).map_err(bad_input)?);
    }
    Ok(policies)
}

fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path);
    text.with_context(|| format!("reading {}", path.display()))
        .map_err(bad_input)
}

/// Reads a file that this program wrote.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let value = serde_json::from_str(&read(path)?);
    value
        .with_context(|| format!("reading {}", path.display()))
        .map_err(bad_input)
}
