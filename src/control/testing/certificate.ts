/**
 * Certificates for tests, made by openssl.
 *
 * @module
 */

/** PEM files of a certificate that vouches for itself, and its key. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes one for 127.0.0.1 and localhost in `dir`, with `name` as its subject. */
export async function makeCertificate(dir: string, name: string): Promise<TestCertificate> {
  const files = { cert: `${dir}/${name}.cert.pem`, key: `${dir}/${name}.key.pem` };
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-keyout", files.key, "-out", files.cert, "-subj", `/CN=${name}`],
      ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`openssl: ${new TextDecoder().decode(stderr)}`);
  return files;
}
