/** Where the admin API lives on the shared port. */
export const ADMIN_BASE_PATH = "/api/v1";
