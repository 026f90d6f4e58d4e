/**
 * Images in registries (OCI distribution specification) and in image layouts on disk (OCI image
 * specification, "Image Layout").
 *
 * <p>A {@link sluice.registry.RegistryClient} is both, behind the ports of {@code sluice.core}: it
 * looks at the kind of each {@link sluice.core.Repository} and asks a registry or an {@link
 * sluice.registry.OciLayout}.
 *
 * <p>Inside, one class per endpoint of the protocol says what is asked ({@code BlobRange}, {@code
 * BlobStream}, {@code SmallContent}, {@code ReferrersList}, {@code BlobPush}, {@code
 * ManifestPush}). Below them, each concern has one place: {@code Failover} tries sources and
 * retries, {@code Exchanger} authorizes one request and follows its redirects, {@code Transport}
 * sends it over the connections of its lane, within its deadline. OkHttp stays behind this package.
 */
@NullMarked
package sluice.registry;

import org.jspecify.annotations.NullMarked;
