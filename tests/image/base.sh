# shellcheck shell=bash
# The base image of the Dockerfile, made on this machine, where no registry of images can be reached:
# Debian packages, this machine's Rust toolchain, and its certificate authorities, since crates are
# fetched through them. Sourced by run.sh.

# Everything that is expensive is kept here between runs.
storage=$root/target/image
# Without a daemon, and in a folder of our own: other images of this machine are not touched. The cache
# mounts of buildah are below TMPDIR.
buildah() {
  TMPDIR=$storage/tmp command buildah --root "$storage/root" --runroot "$storage/runroot" \
    --storage-driver vfs "$@"
}

# The image that the Dockerfile begins with, such as rust:1.95.0-slim-bookworm.
base_image() { sed -n 's/^FROM \(rust:[^ ]*\) AS build$/\1/p' "$root/Dockerfile"; }

make_base() {
  local name=docker.io/library/$1 suite=${1##*-} folder toolchain container
  if buildah inspect --type image "$name" >/dev/null 2>&1; then return; fi
  say "making the base image $1"
  folder=$(mktemp -d)
  toolchain=$(cd "$root" && rustc --print sysroot)
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,gcc,libc6-dev "$suite" "$folder/rootfs"
  # As in the official image, /usr/local/cargo is the folder of Cargo.
  mkdir -p "$folder/rootfs/usr/local/cargo/bin" "$folder/rootfs/usr/local/lib"
  cp "$toolchain"/bin/{cargo,rustc} "$folder/rootfs/usr/local/cargo/bin/"
  cp -r "$toolchain"/lib "$folder/rootfs/usr/local/cargo/"
  cp /etc/ssl/certs/ca-certificates.crt "$folder/rootfs/etc/ssl/certs/ca-certificates.crt"
  container=$(buildah from scratch)
  buildah copy -q "$container" "$folder/rootfs" / >/dev/null
  buildah config --env CARGO_HOME=/usr/local/cargo \
    --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit -q "$container" "$name" >/dev/null
  buildah rm "$container" >/dev/null
  rm -rf "$folder"
}

# The unchanged Dockerfile.
build_image() {
  mkdir -p "$storage"/{root,runroot,tmp}
  make_base "$(base_image)"
  say "building the image"
  buildah bud --isolation chroot --format docker --pull-never --layers \
    --build-arg "REVISION=$(git -C "$root" rev-parse HEAD)" --tag postly "$root"
}
