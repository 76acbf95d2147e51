// A real PDS for the tests: loopback only, a PLC directory in memory, no AppView, one account.
//
//   node start.js FOLDER
//
// Keeps its data in FOLDER, prints one line of JSON when it is ready, and ends when its stdin does: it does not outlive
// the tests that started it, however they end. Rate limits are on; a request with the header `x-ratelimit-bypass` and
// that key does not count.
'use strict'

const { once } = require('node:events')
const { randomBytes } = require('node:crypto')
const http = require('node:http')
const path = require('node:path')

process.env.LOG_ENABLED = 'false' // both servers log to stdout, and read this when they are loaded
const { PDS, envToCfg, envToSecrets } = require('@atproto/pds')
const plc = require('@did-plc/server')

const HANDLE = 'newsroom.test'
const secret = (bytes) => randomBytes(bytes).toString('hex')

/** A server at a free port of 127.0.0.1. It refuses nobody until an app takes it. */
async function loopback () {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Have `app.listen(port)`, which would bind every interface, take this server instead. */
function serve (app, server) {
  app.listen = () => {
    server.on('request', app)
    setImmediate(() => server.emit('listening')) // what the caller waits for has long been
    return server
  }
}

const url = (server) => `http://127.0.0.1:${server.address().port}`

async function call (service, name, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
  const answer = await fetch(`${service}/xrpc/${name}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

async function main (folder) {
  const patience = setTimeout(() => { throw new Error('not ready in a minute') }, 60000)
  const [directoryServer, server] = [await loopback(), await loopback()]

  const directory = plc.PlcServer.create({ db: plc.Database.mock() })
  serve(directory.app, directoryServer)
  await directory.start()

  const bypass = secret(16)
  const env = {
    hostname: 'localhost',
    port: server.address().port,
    devMode: true,
    dataDirectory: folder,
    blobstoreDiskLocation: path.join(folder, 'blobs'),
    didPlcUrl: url(directoryServer),
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    rateLimitsEnabled: true,
    rateLimitBypassKey: bypass,
    jwtSecret: secret(16),
    adminPassword: secret(16),
    plcRotationKeyK256PrivateKeyHex: secret(32)
  }
  const pds = await PDS.create(envToCfg(env), envToSecrets(env))
  serve(pds.app, server)
  await pds.start()

  const password = secret(16)
  const account = { handle: HANDLE, email: 'newsroom@example.com', password }
  const { did, accessJwt } = await call(url(server), 'com.atproto.server.createAccount', account)
  // As a click on the link in the mail would do.
  await pds.ctx.accountManager.db.db.updateTable('account').set({ emailConfirmedAt: new Date().toISOString() })
    .where('did', '=', did).execute()
  const app = await call(url(server), 'com.atproto.server.createAppPassword', { name: 'broadcast' }, accessJwt)
  const { jwtSecret } = env
  console.log(JSON.stringify({ url: url(server), handle: HANDLE, did, password: app.password, bypass, jwtSecret }))

  clearTimeout(patience)
  process.stdin.resume()
  await once(process.stdin, 'close')
  process.exit() // there is nothing to keep
}

main(process.argv[2]).catch((error) => {
  console.error(error)
  process.exit(1)
})
