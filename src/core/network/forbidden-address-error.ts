/** A connection was not made: its address is one that may not be called. For the log; callers are not told which it is. */
export class ForbiddenAddressError extends Error {}
