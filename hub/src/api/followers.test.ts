import { expect, test } from 'vitest';
import { TooManyFollowersError } from './errors.ts';
import { Followers } from './followers.ts';

test('one user cannot take the places of all', () => {
  const followers = new Followers({ all: 10, ofOneUser: 2 });
  followers.enter('jane');
  followers.enter('jane');
  expect(() => followers.enter('jane')).toThrow('2 logs are followed at once already by jane');
  expect(() => followers.enter('joe')).not.toThrow();
});

test('all users together are bounded', () => {
  const followers = new Followers({ all: 2, ofOneUser: 2 });
  followers.enter('jane');
  followers.enter('joe');
  expect(() => followers.enter('jim')).toThrow(TooManyFollowersError);
});

test('a place that was let go is free once, however often that is said', () => {
  const followers = new Followers({ all: 1, ofOneUser: 1 });
  const leave = followers.enter('jane');
  leave();
  leave();
  followers.enter('joe');
  expect(() => followers.enter('jane')).toThrow(TooManyFollowersError);
});
