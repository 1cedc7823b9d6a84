# SPDX-License-Identifier: MIT
"""A guest with Debian's own kernel under QEMU, for tests/uml/harness.py.

The kernel is the package of linux-image-amd64, downloaded by apt-get as this machine has it, and unpacked, not installed,
below SPIMEND_KERNEL_CACHE (default: build-kernel/ of this tree). Nothing of it asks for root or for KVM: QEMU emulates the
processor (TCG), which is slower by far, so that every limit is longer there."""
import fcntl
import glob
import gzip
import lzma
import os
import re
import shutil
import stat
import tempfile

from harness import Unavailable
from suite import ROOT, run

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("SPIMEND_KERNEL_CACHE") or os.path.join(ROOT, "build-kernel")
PACKAGE = "linux-image-amd64"  # not the cloud kernel, which has no 9p
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "virtio_rng", "overlay")
DOWNLOAD_S = 400
APT = ["-q", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30"]


def command(words, what, **options):
    done = run(words, **options)
    if done.status:
        raise Unavailable(f"{what}: {done.tail(3) or done.status}")
    return done.out.decode("utf-8", "replace")


# --- the kernel -----------------------------------------------------------------------------------------------------------

def newest_package():
    shown = command(["apt-cache", "depends", PACKAGE], "apt knows no Debian kernel (apt-get update)")
    found = re.search(r"Depends: (linux-image-\S+)", shown)
    if not found:
        raise Unavailable(f"apt knows no {PACKAGE}: apt-get update")
    return found[1]


def unpack(package, folder):
    """Downloads it and unpacks it to folder, at once or not at all."""
    work = tempfile.mkdtemp(dir=CACHE)
    try:
        print(f"     downloading {package} (70 MB), once, to {CACHE}", flush=True)
        sandbox = ["-o", "APT::Sandbox::User=root"] if os.getuid() == 0 else []
        command(["apt-get", *APT, *sandbox, "download", package], f"{package} cannot be downloaded (apt-get update?)",
                cwd=work, timeout=DOWNLOAD_S)
        command(["dpkg-deb", "-x", *glob.glob(f"{work}/*.deb"), f"{work}/root"], package, timeout=DOWNLOAD_S)
        release = package[len("linux-image-"):]
        command(["depmod", "-b", f"{work}/root", release], package, timeout=DOWNLOAD_S)
        os.rename(f"{work}/root", folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fetch():
    """(release, the folder that it is unpacked in). An older one that is here does, where the newest cannot be had."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        here = sorted(glob.glob(f"{CACHE}/linux-image-*"), key=os.path.getmtime)
        try:
            package = newest_package()
            folder = os.path.join(CACHE, package)
            if folder not in here:
                unpack(package, folder)
        except Unavailable:
            if not here:
                raise
            folder = here[-1]
    return os.path.basename(folder)[len("linux-image-"):], folder


# --- the initial RAM disk -------------------------------------------------------------------------------------------------

def entry(name, mode, data, number):
    """One member of a cpio archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst: "newc")."""
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def module_files(release, folder):
    """Paths of MODULES and of what they need, in the order of loading; those built in are none."""
    found = []
    for module in MODULES:
        shown = command(["modprobe", "-d", folder, "-S", release, "--show-depends", module], module)
        found += [words[1] for words in map(str.split, shown.splitlines()) if words[0] == "insmod"]
    return list(dict.fromkeys(found))


def make_disk(release, folder, path, scratch):
    init = os.path.join(scratch, "init")
    command([os.environ.get("CC", "gcc"), "-O1", "-Wall", "-Wextra", "-static", "-o", init, f"{HERE}/init.c"], "init.c")
    members = [("modules", stat.S_IFDIR | 0o755, b"")]
    order = []
    for module in module_files(release, folder):
        name, packed = os.path.basename(module), module.endswith(".xz")
        order.append(name[:-3] if packed else name)
        with (lzma.open if packed else open)(module, "rb") as file:
            members.append((f"modules/{order[-1]}", stat.S_IFREG | 0o644, file.read()))
    members.append(("modules/order", stat.S_IFREG | 0o644, "\n".join(order).encode()))
    with open(init, "rb") as file:
        members.append(("init", stat.S_IFREG | 0o755, file.read()))
    members.append(("TRAILER!!!", 0, b""))
    with gzip.open(path, "wb", compresslevel=1) as disk:
        for number, member in enumerate(members, 1):
            disk.write(entry(*member, number))


# --- the guest ------------------------------------------------------------------------------------------------------------

class Qemu:
    patience = float(os.environ.get("SPIMEND_KERNEL_PATIENCE") or 8)  # times the limits of user-mode Linux
    parallel = 1  # it has the machine's processors to itself
    tools = (("qemu-system-x86_64", "qemu-system-x86"), ("depmod", "kmod"), ("modprobe", "kmod"), ("apt-get", "apt"),
             ("dpkg-deb", "dpkg"))

    def __init__(self):
        self.kernel = self.modules = self.disk = None

    def prepare(self, scratch):
        release, folder = fetch()
        self.kernel = os.path.join(folder, "boot", f"vmlinuz-{release}")
        self.modules = os.path.join(folder, "lib", "modules", release)
        self.disk = os.path.join(scratch, "disk.gz")
        make_disk(release, folder, self.disk, scratch)

    def command(self, _scratch, memory, environment):
        words = ["console=ttyS0", "quiet", "loglevel=1", "panic=-1", "audit=1", "mitigations=off", "nokaslr", "no_timer_check",
                 "tsc=reliable", f"MODULES={self.modules}", *environment]
        return ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(2 * memory),
                "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", self.kernel, "-initrd", self.disk,
                "-append", " ".join(words),
                "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
                "-device", "virtio-9p-pci,fsdev=host,mount_tag=host", "-device", "virtio-rng-pci"], {}
