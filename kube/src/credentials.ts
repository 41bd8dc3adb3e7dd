/** What proves who we are and who the server is. Everything in it may be rotated while the process runs. */
export type Credentials = {
  /** The value of the Authorization header. */
  authorization?: string;
  /** PEM; without it the certificates that Node trusts. */
  ca?: string;
  /** PEM. */
  clientCertificate?: { cert: string; key: string };
};

/** How one API server is reached, and as whom. */
export type Connection = {
  /** e.g. "https://127.0.0.1:6443", without a trailing slash. */
  server: string;
  skipTlsVerify?: boolean;
  /** The name that the server's certificate must hold, when it is not the host of `server`. */
  tlsServerName?: string;
  /** URL of the proxy on the way to the server. */
  proxy?: string;
  /** Namespace of the kubeconfig's context, or of the pod. */
  namespace?: string;
  /**
   * The credentials of now. They are remembered for a minute; `renew` reads them again at once, because the server refused
   * the last ones.
   */
  credentials(options?: { renew: boolean }): Promise<Credentials>;
};

export const credentialDefaults = {
  /** A bound token lives at least ten minutes, and the kubelet replaces it at 80 %. */
  rememberMs: 60_000,
  /** However often the server refuses: credentials are read at most this often, and a plug-in is run no more. */
  renewEveryMs: 1_000,
};

/**
 * Reads again once the last answer is old, or at once when asked to renew it; callers at the same time share one read.
 * `read` learns whether it was asked to renew.
 */
export function remembered(
  read: (renew: boolean) => Promise<Credentials>,
  { rememberMs, renewEveryMs } = credentialDefaults,
): Connection['credentials'] {
  let last: { at: number; value: Promise<Credentials> } | undefined;
  return ({ renew } = { renew: false }) => {
    const ageMs = last === undefined ? Number.POSITIVE_INFINITY : performance.now() - last.at;
    if (last === undefined || ageMs > (renew ? renewEveryMs : rememberMs)) {
      const value = read(renew);
      last = { at: performance.now(), value };
      value.catch(() => {
        last = undefined; // the next caller reads again; this error goes to whoever awaits the value
      });
    }
    return last.value;
  };
}
