#!/usr/bin/env bash
# The main path of `pqlab lab cross-cloud` by hand: a good and a revoked certificate, one after
# the other, on loopback and in a new folder.
#
#   by-hand.sh [ALGORITHM [GROUP]]
#
# BACKEND, PROXY and TRANSIT say where the parts listen.
set -euo pipefail

pqlab=${PQLAB:-'{program}'}
algorithm=${1:-ml-dsa-65}
group=${2:-X25519MLKEM768}
backend=${BACKEND:-127.0.0.1:18080}
proxy=${PROXY:-127.0.0.1:18443}
transit=${TRANSIT:-127.0.0.1:18444}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

# The authority, with a certificate for the proxy and two for functions, one of them revoked.
"$pqlab" ca init --algorithm "$algorithm"
"$pqlab" ca issue {proxy_name} --algorithm "$algorithm" --out cloud-b
"$pqlab" ca issue {function_name} --client --algorithm "$algorithm" --out cloud-a
"$pqlab" ca issue revoked.cloud-a.internal --client --algorithm "$algorithm" --out cloud-a
"$pqlab" ca revoke revoked.cloud-a.internal --reason keyCompromise
"$pqlab" ca crl --out cloud-b/crls.pem
"$pqlab" ca bundle --out trust >/dev/null

# Cloud B: the backend, which logs subjects, and the proxy before it.
sleep 60 | "$pqlab" {role} "{\"backend\":{\"listen\":\"$backend\"}}" &
"$pqlab" proxy "http://$backend" --listen "$proxy" --tls 1.3 \
    --groups X25519MLKEM768,x25519 \
    --cert cloud-b/{proxy_name}.pem --key cloud-b/{proxy_name}-key.pem \
    --client-ca trust/roots.pem --client-crl cloud-b/crls.pem &
# The transit.
sleep 60 | "$pqlab" {role} "{\"transit\":{\"routes\":[{\"listen\":\"$transit\",\"to\":\"$proxy\"}],\"words\":[]}}" &
# Cloud A's view of the name.
printf '%s %s\n' "${transit%:*}" {proxy_name} >cloud-a/hosts
for place in "$backend" "$proxy" "$transit"; do
    for _ in $(seq 100); do
        if (: <>"/dev/tcp/${place%:*}/${place##*:}") 2>/dev/null; then continue 2; fi
        sleep 0.1
    done
    echo "nothing listens at $place" >&2
    exit 3
done

# The function, with its settings as a cloud gives them.
SERVER_CA_PEM=$(cat trust/roots.pem)
CLIENT_PFX_PASSWORD={password}
export SERVER_CA_PEM CLIENT_PFX_PASSWORD
for name in {function_name} revoked.cloud-a.internal; do
    CLIENT_PFX_BASE64=$(PQLAB_PFX_PASSWORD=$CLIENT_PFX_PASSWORD "$pqlab" ca pfx "$name" --base64)
    export CLIENT_PFX_BASE64
    "$pqlab" {role} "{\"function\":{\"name\":\"{proxy_name}\",\"port\":${transit##*:},\"path\":\"/orders/1\",\"group\":\"$group\",\"resolver\":{\"table\":\"$folder/cloud-a/hosts\"}}}"
done

# The same connection, explained.
"$pqlab" connect "$transit" --server-name {proxy_name} --ca trust/roots.pem --groups "$group" \
    --cert cloud-a/{function_name}.pem --key cloud-a/{function_name}-key.pem
