#![allow(unsafe_code, missing_docs)]
use experiment::*;
use stack::*;
#[test]
fn explore() {
    let cache = pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap();
    let policies = std::fs::read_to_string("/tmp/policies.txt").unwrap();
    let groups = ["X25519MLKEM768"];
    let certs = ["ecdsa-p256", "ecdsa-p384", "rsa-2048"];
    let suites = ["TLS_AES_256_GCM_SHA384"];
    for policy in policies.split_whitespace() {
        unsafe { std::env::set_var("S2N_POLICY", policy) };
        for (c, s) in [("s2n-tls", "s2n-tls")] {
            let mut good = Vec::new();
            for g in groups {
                for cert in certs {
                    for suite in suites {
                        let id = format!("1.3/{g}/{cert}/full+{suite}");
                        let Ok(h) = id.parse::<Handshake>() else {
                            let h: Result<Handshake, _> = format!("1.3/{g}/{cert}/full").parse();
                            if suite != suites[0] || h.is_err() {
                                continue;
                            };
                            continue;
                        };
                        let cr = Credentials::for_handshake(&h, &cache).unwrap();
                        let sc = Scenario::new(
                            c.parse().unwrap(),
                            s.parse().unwrap(),
                            h,
                            NetworkName::memory(),
                        );
                        let r = (|| {
                            let mut p = Pair::new(&sc, &cr, PhaseTiming::Off, by_name)
                                .map_err(|e| e.to_string())?;
                            let d = p.handshake(&mut NoGauge).map_err(|e| e.to_string())?;
                            d.verify(&h).map_err(|e| e.to_string())?;
                            d.verify_exporters().map_err(|e| e.to_string())?;
                            Ok::<_, String>(())
                        })();
                        match r {
                            Ok(()) => good.push(format!("{g}/{cert}/{}", &suite[4..11])),
                            Err(e) => {
                                if std::env::var("V").is_ok() {
                                    println!("{policy} {sc}: {e}")
                                }
                            }
                        }
                    }
                }
            }
            println!("{policy} {c}->{s}: {} {}", good.len(), good.join(" "));
        }
    }
}
