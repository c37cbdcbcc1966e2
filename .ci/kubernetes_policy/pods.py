"""Every pod: what it may do, what it may take, what it mounts, and that no secret stands in it."""

import json
import re

from world import bytes_of, containers, fault, ports

# These come by the file that their _FILE variable names.
SECRETS = re.compile(r"(DATABASE__URL|SERVICE_AUTH__SECRETS|SIGNING_KEY|PASSWORD)$")


def check_pods(world):
    for item in world.of("ConfigMap"):
        for name, value in item.get("data", {}).items():
            check_variable(world.where(item), name, value)
    accounts = {item["metadata"]["name"]: item for item in world.of("ServiceAccount")}
    for item, pod in world.pods:
        where, spec = world.where(item), pod["spec"]
        if spec.get("automountServiceAccountToken") is not False:
            fault(where, "automountServiceAccountToken is not false")
        account = spec.get("serviceAccountName")
        if account and accounts.get(account, {}).get("automountServiceAccountToken") is not False:
            fault(where, f"service account {account} is missing, or mounts its token")
        if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
            fault(where, "shares the host's namespaces")
        for volume in spec.get("volumes", []):
            check_volume(world, where, volume)
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])}
        for container in containers(pod):
            check_container(f"{where}, container {container['name']}", item, pod, container)
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    fault(where, f"mounts {mount['name']}, which is no volume of it")


def check_volume(world, where, volume):
    if "hostPath" in volume:
        fault(where, f"volume {volume['name']} is a path of the host")
    for source in volume.get("projected", {}).get("sources", [volume]):
        for kind, field, name in (("Secret", "secret", "name"), ("Secret", "secret", "secretName"), ("ConfigMap", "configMap", "name")):
            if field in source and name in source[field]:
                check_keys(world, where, kind, source[field][name], [entry["key"] for entry in source[field].get("items", [])])


def check_keys(world, where, kind, name, keys):
    data = world.data(kind, name)
    if data is None:
        fault(where, f"nobody makes {kind} {name}")
        return
    for key in keys:
        if key not in data:
            fault(where, f"{kind} {name} has no key {key}")


def check_container(where, item, pod, container):
    image = container["image"]
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    if "@sha256:" not in image and (not tag or tag == "latest"):
        fault(where, f"image {image} does not say which")
    version = pod["metadata"]["labels"].get("app.kubernetes.io/version")
    if version and "lyceum/" in image and version != tag:
        fault(where, f"image {image} is not of app.kubernetes.io/version {version}")
    requests, limits = (container.get("resources", {}).get(field, {}) for field in ("requests", "limits"))
    if "cpu" not in requests or "memory" not in requests or "memory" not in limits:
        fault(where, "needs requests for cpu and memory and a limit for memory")
    elif bytes_of(requests["memory"]) > bytes_of(limits["memory"]):
        fault(where, "asks for more memory than it may have")
    context = {**pod["spec"].get("securityContext", {}), **container.get("securityContext", {})}
    wanted = {
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for key, value in wanted.items():
        if context.get(key) != value:
            fault(where, f"securityContext: {key} is not {json.dumps(value)}")
    if not context.get("runAsUser") or context.get("privileged"):
        fault(where, "securityContext: runs as root or privileged")
    if item["kind"] != "Job":
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            if probe not in container:
                fault(where, f"no {probe}")
            elif port is not None and port not in ports(pod):
                fault(where, f"{probe} asks port {port}, which the container does not name")
    for variable in container.get("env", []):
        check_variable(where, variable["name"], variable.get("value", ""))
        if "secretKeyRef" in variable.get("valueFrom", {}):
            fault(where, f"{variable['name']}: a secret in a variable is in every dump of it; mount a file")


def check_variable(where, name, value):
    if name.startswith("LYCEUM__") and SECRETS.search(name):
        fault(where, f"{name} is a secret: let {name}_FILE name its file")
    if re.search(r"://[^/@]*:[^/@]*@", value):
        fault(where, f"{name} holds a password")
