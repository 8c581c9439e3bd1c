"""Calls of Ganeti's own RAPI client; arguments: port and certificate. Prints "done"."""

import sys

import pycurl
from ganeti.rapi import client


def check(found, expected):
    if found != expected:
        raise AssertionError("found %r, expected %r" % (found, expected))


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except client.GanetiApiError as error:
        check(error.code, code)
    else:
        raise AssertionError("not refused: %r" % (call,))


def main(port, certificate):
    client.UsesRapiClient  # the module needs this around programs
    config = client.GenericCurlConfig(cafile=certificate, verify_hostname=True)
    api = client.GanetiRapiClient("localhost", port=port, username="writer", password="secret", curl_config_fn=config)
    check(api.GetVersion(), 2)
    check(sorted(api.GetFeatures()), ["instance-create-reqv1", "instance-reinstall-reqv1", "node-evac-res1", "node-migrate-reqv1"])
    check(api.GetInfo()["name"], "cluster.example.com")
    check(api.GetOperatingSystems(), ["debootstrap+default", "debootstrap+minimal", "noop"])
    check(api.GetInstances(), ["db1.example.com", "web1.example.com"])
    check(api.GetInstances(bulk=True)[0]["beparams"]["memory"], 512)
    check(api.GetInstance("web1.example.com")["status"], "running")
    check(api.GetInstanceConsole("web1.example.com")["kind"], "ssh")
    check(api.GetInstanceTags("web1"), ["prod", "instance", "web1"])
    check(api.GetNodes(), ["node1.example.com", "node2.example.com"])
    check(len(api.GetNodes(bulk=True)), 2)
    check(api.GetNode("node1.example.com")["secondary_ip"], "198.51.100.1")
    check(api.GetNodeRole("node1.example.com"), "master")
    check(api.GetGroups(), ["default"])
    check(api.GetGroup("default")["node_cnt"], 2)
    check(api.GetNetworks(), ["net1"])
    check(api.GetNetwork("net1")["network"], "192.0.2.0/24")
    check(api.GetFilters(bulk=True)[0]["action"], "CONTINUE")
    check(api.GetJobs(), [9, 10])
    check(api.GetJobs(bulk=True)[0]["status"], "success")
    check(api.GetJobStatus(9)["status"], "success")
    check(api.WaitForJobCompletion(9, period=1, retries=2), True)
    check(api.WaitForJobChange(9, ["status"], None, None)["job_info"], ["success"])
    check(api.WaitForJobChange(9, ["status"], ["success"], 1), None)
    check(api.CancelJob(9), [True, "Job 9 has been canceled"])
    check(api.Query("node", ["name"], ["=", "name", "x"])["asked"], ["node", ["name"], ["=", "name", "x"]])
    check(api.QueryFields("node", fields=["name"])["asked"], ["node", ["name"]])
    check(api.CreateInstance("create", "new1", "diskless", [], [{"link": "br0"}], os="noop", pnode="node1", beparams={"maxmem": 256}, start=False), 10)
    check(api.StartupInstance("web1", reason="a reason"), 10)
    check(api.ShutdownInstance("web1", dry_run=True, timeout=5), 10)
    check(api.RebootInstance("web1", reboot_type="soft"), 10)
    check(api.MigrateInstance("web1", mode="live", target_node="node2"), 10)
    check(api.FailoverInstance("web1", ignore_consistency=True), 10)
    check(api.ModifyInstance("web1", beparams={"vcpus": 2}), 10)
    check(api.RenameInstance("web1", "web2"), 10)
    check(api.ReinstallInstance("web1", os="noop", no_startup=True), 10)
    check(api.ReplaceInstanceDisks("web1", disks=[0], mode="replace_on_primary"), 10)
    check(api.GrowInstanceDisk("web1", 0, 1024), 10)
    check(api.DeleteInstance("web1", shutdown_timeout=3), 10)
    check(api.AddInstanceTags("web1", ["a", "b"]), 10)
    check(api.DeleteClusterTags(["a"]), 10)
    check(api.SetNodeRole("node2", "offline", force=True), 10)
    check(api.EvacuateNode("node2", mode="all", iallocator="hail"), 10)
    check(api.MigrateNode("node2", mode="live", target_node="node1"), 10)
    check(api.GetNodeStorageUnits("node1", "file", "name,size"), 10)
    check(api.CreateGroup("g1"), 10)
    check(api.AssignGroupNodes("g1", ["node1"], force=True), 10)
    check(api.CreateNetwork("n1", "192.0.2.0/24"), 10)
    check(api.ConnectNetwork("n1", "g1", "bridged", "br0"), 10)
    check(api.ModifyCluster(candidate_pool_size=3), 10)
    check(api.RedistributeConfig(), 10)
    check(api.AddFilter(1, [], "CONTINUE"), "8a0f7c70-0000-4000-8000-00000000000e")
    refused(404, api.GetInstance, "unknown")
    refused(503, api.GetInstanceConsole, "db1.example.com")
    refused(400, api.RebootInstance, "web1", reboot_type="gently")
    reader = client.GanetiRapiClient("localhost", port=port, username="reader", password="secret", curl_config_fn=config)
    refused(403, reader.StartupInstance, "web1")
    stranger = client.GanetiRapiClient("localhost", port=port, username="writer", password="wrong", curl_config_fn=config)
    refused(401, stranger.GetVersion)
    print("done")


if __name__ == "__main__":
    pycurl.global_init(pycurl.GLOBAL_ALL)
    main(int(sys.argv[1]), sys.argv[2])
