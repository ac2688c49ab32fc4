/**
 * A database of the server that `scripts/with-redis.sh` started; each file of tests has one of its own.
 */
export function testRedis(database: number): string {
  const server = process.env.NASTY_TEST_REDIS;
  if (server === undefined)
    throw new Error("expected NASTY_TEST_REDIS, got none; run scripts/with-redis.sh npm test");
  return `${server}/${database}`;
}
