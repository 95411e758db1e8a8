//! The machine, as it tells of itself.

use std::fs;

use experiment::Machine;

use crate::clock;

/// Features that decide which code a cryptographic library takes.
const FEATURES: &[&str] = &[
    "aes",
    "avx2",
    "avx512f",
    "avx512ifma",
    "bmi2",
    "adx",
    "sha_ni",
    "vaes",
    "vpclmulqdq",
    "asimd",
    "pmull",
    "sha2",
    "sha3",
    "sve",
];

/// Describes this machine; what it does not tell is empty or `unknown`.
pub fn machine() -> Machine {
    let cpuinfo = read("/proc/cpuinfo");
    let field = |names: &[&str]| -> Option<String> {
        let line = cpuinfo
            .lines()
            .find(|line| names.iter().any(|name| line.starts_with(name)))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let flags = field(&["flags", "Features"]).unwrap_or_default();
    let has = |feature: &&&str| flags.split_whitespace().any(|flag| flag == **feature);
    Machine {
        host: host(),
        cpu: field(&["model name"]).unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: clock::cores().len(),
        memory: memory(),
        system: system(),
        virtualisation: virtualisation(&flags),
        features: FEATURES
            .iter()
            .filter(has)
            .map(|feature| (*feature).to_owned())
            .collect(),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn host() -> String {
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn host() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "unknown".to_owned())
}

fn memory() -> u64 {
    let meminfo = read("/proc/meminfo");
    let kibibytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let number = kibibytes.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

fn system() -> String {
    let release = read("/proc/sys/kernel/osrelease");
    format!("{} {}", std::env::consts::OS, release.trim())
        .trim()
        .to_owned()
}

/// The `hypervisor` flag of x86; and what the firmware says, where it may be read.
fn virtualisation(flags: &str) -> Option<String> {
    let is_guest = flags.split_whitespace().any(|flag| flag == "hypervisor");
    let product = read("/sys/class/dmi/id/product_name");
    match (is_guest, product.trim()) {
        (false, _) => None,
        (true, "") => Some("a virtual machine".to_owned()),
        (true, product) => Some(format!("a virtual machine ({product})")),
    }
}
