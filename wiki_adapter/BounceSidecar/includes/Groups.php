<?php

namespace MediaWiki\Extension\BounceSidecar;

/**
 * The groups of a user that people have put them in: the wiki's own and, with CentralAuth, the global ones.
 *
 * Does not know what a group may do. Implicit ones (user, autoconfirmed) are no groups here.
 */
class Groups {

	/** @var \MediaWiki\User\UserGroupManager */
	private $groupManager;

	/**
	 * @param \MediaWiki\User\UserGroupManager $groupManager
	 */
	public function __construct( $groupManager ) {
		$this->groupManager = $groupManager;
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @param string[] $groups
	 * @return string|null the first of these that the user is a member of
	 */
	public function firstOf( $user, array $groups ): ?string {
		$own = array_merge( $this->groupManager->getUserGroups( $user ), $this->globalGroups( $user ) );
		return array_values( array_intersect( $groups, $own ) )[0] ?? null;
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @return string[]
	 */
	private function globalGroups( $user ): array {
		$central = Central::accountOf( $user );
		return $central ? $central->getGlobalGroups() : [];
	}
}
