"""What is in moto, as JSON."""

import boto3, json, sys
def client(service):
    return boto3.client(service, region_name="eu-central-1", endpoint_url=sys.argv[1])
print(json.dumps({
    "authorities": [one["Status"] for one in client("acm-pca").list_certificate_authorities()["CertificateAuthorities"]],
    "certificates": len(client("acm").list_certificates()["CertificateSummaryList"]),
    "listeners": [
        [one["Protocol"], one["SslPolicy"]]
        for one in client("elbv2").describe_listeners(LoadBalancerArn=sys.argv[2])["Listeners"]
    ],
    "bundles": {
        one["Key"]: client("s3").get_object(Bucket=sys.argv[3], Key=one["Key"])["Body"].read().decode()
        for one in client("s3").list_objects_v2(Bucket=sys.argv[3]).get("Contents", [])
    },
}))
