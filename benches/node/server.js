// A ping tree as one would write it with fastify and undici: parse the lead, ask the buyers at once, post to
// the best bidder, answer. No matching, no ledger, no metrics. node server.js PORT BUYER…
import Fastify from 'fastify';
import { Pool } from 'undici';

const [port, ...addresses] = process.argv.slice(2);
const pools = addresses.map((address) => new Pool(`http://${address}`));

async function call(pool, path, lead) {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(lead),
  });
  const answer = await body.json();
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  return answer;
}

const app = Fastify();

// The buyers from FIRST on, COUNT of them.
app.post('/:first/:count', async (request) => {
  const first = Number(request.params.first);
  const asked = pools.slice(first, first + Number(request.params.count));
  const bids = await Promise.all(asked.map((pool) => call(pool, '/ping', request.body)));
  let best = 0;
  bids.forEach((bid, index) => {
    if (Number(bid.price) > Number(bids[best].price)) best = index;
  });
  const { status, redirect_url } = await call(asked[best], '/post', request.body);
  return { status: status === 'accepted' ? 'distributed' : 'new', redirect_url };
});

await app.listen({ host: '127.0.0.1', port: Number(port) });
