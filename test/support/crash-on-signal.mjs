/** Preloaded into a process under test: at SIGUSR2 it meets an error that nobody catches, full of what PLANTED says. */
process.on("SIGUSR2", () => {
  const planted = JSON.parse(process.env.PLANTED ?? "[]");
  const error = new Error("the crash that was asked for", {
    cause: new Error(`keys: ${planted.filter((one) => /^(sk|kw)[-_]/.test(one)).join(" ")}`),
  });
  const [rootKey, adminToken, metricsToken, password] = planted;
  Object.assign(error, {
    config: { rootKey, adminToken, metricsToken },
    headers: { authorization: `Bearer ${adminToken}`, "set-cookie": `s=${adminToken}` },
    body: JSON.stringify({ password }),
  });
  throw error;
});
