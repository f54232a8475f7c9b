// Package ipam hands out addresses of either family the way Docker's bridge networks do: the gateway takes the lowest usable address,
// every host after it the lowest one that is free, and an address that comes back is the first to go out again.
//
// A [Pool] is the book of one subnet; [NextSubnet] picks a subnet for a network that has named none, from Docker's default
// pools in Docker's order. Refusals are in Docker's words, so that what people find when they search for them helps.
//
// The package is a table and nothing more: no clock, no randomness, no locks. Two runs that ask in the same order get the
// same answers.
package ipam
