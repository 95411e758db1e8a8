//! Colours and fonts, as rules of the picture itself.

use experiment::Phase;

/// The text sizes are those of `canvas`. Phases wear the colours that charts give them.
pub const STYLE: &str = "
.handshakes{background:#FFFFFF}
.handshakes text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Ubuntu,Cantarell,'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums;fill:#1F2328;font-size:13px}
.handshakes .title{font-size:19px;font-weight:600}
.handshakes .heading{font-size:14px;font-weight:600}
.handshakes .strong{font-weight:600}
.handshakes .small{font-size:12px}
.handshakes .muted{fill:#57606A}
.handshakes .warning,.handshakes .falls{fill:#B42318}
.handshakes .holds{fill:#1A7F37}
.handshakes .open{fill:#8A5A00}
.handshakes .surface{fill:#FFFFFF}
.handshakes .band{fill:#F2F5F9}
.handshakes .card{fill:#FFFFFF;stroke:#D0D7DE}
.handshakes .rule{stroke:#D0D7DE}
.handshakes .lifeline{stroke:#8C959F;stroke-width:1.5}
.handshakes .head{fill:#FFFFFF;stroke:#57606A;stroke-width:1.2}
.handshakes .arrow{stroke-width:1.5}
.handshakes .tip{stroke:none}
.handshakes .arrow.clear{stroke:#C44F00}
.handshakes .tip.clear,.handshakes .bar.clear{fill:#C44F00}
.handshakes .arrow.encrypted{stroke:#0072B2;stroke-dasharray:5 3}
.handshakes .tip.encrypted{fill:#0072B2}
.handshakes .bar.encrypted{fill:#D6E8F4;stroke:#0072B2;stroke-width:1}
.handshakes path.lock{fill:none;stroke-width:1.5}
.handshakes .lock.clear{stroke:#C44F00}
.handshakes .lock.encrypted{stroke:#0072B2}
.handshakes rect.lock.clear{fill:none;stroke-width:1.2}
.handshakes rect.lock.encrypted{fill:#0072B2;stroke:none}
.handshakes .track{fill:#E6EAEF}
.handshakes .fill{fill:#5B6B7F}
.handshakes .limit{stroke:#1F2328;stroke-width:2}
.handshakes .box{stroke:#57606A;stroke-width:.8}
.handshakes .generate-share{fill:#88CCEE}
.handshakes .agree{fill:#332288}
.handshakes .sign{fill:#AA4499}
.handshakes .verify{fill:#C9B24A}
.handshakes .rest{fill:#BCC3CB}
@media (prefers-color-scheme:dark){
.handshakes{background:#14181D}
.handshakes text{fill:#E8EBEF}
.handshakes .muted{fill:#A9B2BC}
.handshakes .warning,.handshakes .falls{fill:#FF8A80}
.handshakes .holds{fill:#5CCB7A}
.handshakes .open{fill:#E3B341}
.handshakes .surface{fill:#14181D}
.handshakes .band{fill:#1C232B}
.handshakes .card{fill:#14181D;stroke:#3B4857}
.handshakes .rule{stroke:#3B4857}
.handshakes .lifeline{stroke:#68727D}
.handshakes .head{fill:#14181D;stroke:#A9B2BC}
.handshakes .arrow.clear{stroke:#EC7A3C}
.handshakes .tip.clear,.handshakes .bar.clear{fill:#EC7A3C}
.handshakes .arrow.encrypted{stroke:#4DA6DE}
.handshakes .tip.encrypted{fill:#4DA6DE}
.handshakes .bar.encrypted{fill:#1D3A4F;stroke:#4DA6DE}
.handshakes .lock.clear{stroke:#EC7A3C}
.handshakes .lock.encrypted{stroke:#4DA6DE}
.handshakes rect.lock.encrypted{fill:#4DA6DE;stroke:none}
.handshakes .track{fill:#2A323B}
.handshakes .fill{fill:#94A4B8}
.handshakes .limit{stroke:#E8EBEF}
.handshakes .box{stroke:#A9B2BC}
.handshakes .generate-share{fill:#8ED0F0}
.handshakes .agree{fill:#8D7FE0}
.handshakes .sign{fill:#D07BC2}
.handshakes .verify{fill:#DDCC77}
.handshakes .rest{fill:#68727D}
}
";

/// The parts of a CPU box: class and label, from the top of the box.
pub(super) const CPU_CLASSES: [(&str, &str); 5] = [
    ("generate-share", "key share"),
    ("agree", "agree"),
    ("sign", "sign"),
    ("verify", "verify"),
    ("rest", "rest"),
];

/// The index of a phase in [`CPU_CLASSES`].
pub(super) const fn phase_index(phase: Phase) -> usize {
    match phase {
        Phase::GenerateShare => 0,
        Phase::Agree => 1,
        Phase::Sign => 2,
        Phase::Verify => 3,
    }
}

/// The index of what is no phase.
pub(super) const REST: usize = 4;
