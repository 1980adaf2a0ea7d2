# Postly in a container: one static program on an empty image. docs/deployment.md says how to run it.
#
#   docker build --tag postly .
#
# The same version of Rust as in rust-toolchain.toml, which rustup would otherwise install with all its
# components; a test compares the two.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY . .

# Both folders outlive this build, so that the next one compiles only what has changed. glibc is linked
# statically, which --target keeps away from procedural macros: those are libraries for the compiler.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --release --locked --target "$(rustc --print host-tuple)" \
 && install -D "target/$(rustc --print host-tuple)/release/postly" /image/usr/local/bin/postly

# What a program expects of its system: the certificate authorities (mail servers), a user, and that names
# are looked up in /etc/hosts as well as by DNS.
RUN install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && echo 'postly:x:65532:65532:Postly:/data:/sbin/nologin' >/image/etc/passwd \
 && echo 'postly:x:65532:' >/image/etc/group \
 && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
 && install -d -m 700 /data


FROM scratch
COPY --from=build /image /
# An empty volume takes over its owner.
COPY --from=build --chown=65532:65532 /data /data

# Up to 3 seconds of draining and 6 of finishing requests: less than the 10 after which Docker kills.
# The data folder also takes temporary files, so that nothing else has to be writable.
ENV ROCKET_ADDRESS=0.0.0.0 \
    ROCKET_PORT=8000 \
    POSTLY_DRAIN_SECONDS=3 \
    TMPDIR=/data

USER 65532:65532
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Whether the program answers at all. It listens only once the database is migrated, so the first success
# means that the site is up; later, a database that is gone is no reason to replace the container.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/postly", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/postly"]
CMD ["serve"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Postly" \
      org.opencontainers.image.description="A self-hosted, multi-user posting site with authentication you can trust" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
