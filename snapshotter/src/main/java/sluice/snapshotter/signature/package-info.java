/**
 * Signatures of manifests, in the form that cosign gives them: beside the manifest, in the same
 * repository, lies a manifest under a tag made of its digest, and its layers are the signatures.
 *
 * <p>What is signed is a <em>payload</em> ({@code SignedPayload}), a page of JSON that names the
 * manifest's digest; the signature is an annotation of the layer that holds it. {@link
 * sluice.snapshotter.signature.Signatures} finds and verifies, {@link
 * sluice.snapshotter.signature.SignaturePush} makes them.
 */
@NullMarked
package sluice.snapshotter.signature;

import org.jspecify.annotations.NullMarked;
