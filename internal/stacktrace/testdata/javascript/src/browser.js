// Opens page.html in a browser and writes one file per case into the folder: browser.js chromium|firefox FOLDER.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');
const [browser, out] = process.argv.slice(2);

const server = http.createServer((req, res) => {
  if (req.method === 'POST') {
    let body = '';
    req.on('data', (chunk) => { body += chunk; });
    req.on('end', () => { res.end(); save(JSON.parse(body)); });
    return;
  }
  const file = new URL(req.url, 'http://localhost').pathname.slice(1) || 'page.html';
  fs.readFile(path.join(__dirname, path.basename(file)), (err, text) => {
    res.writeHead(err ? 404 : 200, { 'content-type': file.endsWith('.js') ? 'text/javascript' : 'text/html' });
    res.end(text);
  });
});

function save(cases) {
  for (const [name, { type, message, stack }] of Object.entries(cases)) {
    fs.writeFileSync(path.join(out, `${browser}_${name}.txt`), stack);
    fs.writeFileSync(path.join(out, `${browser}_${name}.given.json`), JSON.stringify({ type, message }) + '\n');
  }
  child.kill();
  server.close();
  process.exit(0);
}

let child;
server.listen(8321, '127.0.0.1', () => {
  const url = 'http://127.0.0.1:8321/page.html';
  const profile = fs.mkdtempSync('/tmp/shop-profile-');
  const options = browser === 'firefox'
    ? ['firefox', ['--headless', '--no-remote', '--profile', profile, url]]
    : ['chromium', ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, '--remote-debugging-port=0', url]];
  child = spawn(...options, { stdio: 'ignore' });
  setTimeout(() => { child.kill(); console.error(`${browser}: no answer`); process.exit(1); }, 60000);
});
