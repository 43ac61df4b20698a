module.exports.page = async () => ({
  statusCode: 200,
  headers: { "Content-Type": "text/html" },
  body: "<!doctype html>".padEnd(25000, " "),
});
