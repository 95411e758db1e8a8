"""An Application Load Balancer, a target group and a bucket in moto, which the flow expects to exist."""

import boto3, sys
def client(service):
    return boto3.client(service, region_name="eu-central-1", endpoint_url=sys.argv[1])
ec2, elb = client("ec2"), client("elbv2")
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-central-1{zone}")["Subnet"]["SubnetId"]
           for n, zone in enumerate("ab")]
print(elb.create_load_balancer(Name="check", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"])
print(elb.create_target_group(Name="check", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"])
client("s3").create_bucket(Bucket=sys.argv[2], CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
client("s3").put_object(Bucket=sys.argv[2], Key="other/ca-cert.pem", Body=b"theirs")
